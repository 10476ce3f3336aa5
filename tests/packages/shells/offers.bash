# Print the words that bash offers at the end of a command line, one a line, as it calls the
# completion that the package bash-completion has loaded:
#
#     bash offers.bash 'txstorage vol'
. /usr/share/bash-completion/bash_completion
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
read -ra COMP_WORDS <<<"$1"
# After a blank, a new word begins.
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
function_of() { complete -p "$@" | sed 's/.* -F \([^ ]*\).*/\1/'; }
# The function of commands without completion loads one, and asks with 124 for another try.
"$(function_of -D)" "${COMP_WORDS[0]}"
[[ $? == 124 ]] || exit
compopt() { :; }
"$(function_of "${COMP_WORDS[0]}")" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"

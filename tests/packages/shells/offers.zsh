# Print the words that zsh offers at the end of a command line, when a user presses Tab there:
#
#     zsh -f offers.zsh 'txstorage vol'
#
# Ends with 1 when zsh ends without an offer.
zmodload zsh/zpty
offered=$(mktemp)
zpty shell zsh -f -i
# An interactive shell, which knows no comments.  With -A, -D or -O, compadd offers nothing.  The
# terminal's echo of the last line is not the line that is waited for.
zpty -w shell "
autoload -Uz compinit
compinit -u -D
compadd() {
    local -a found
    if [[ \" \$* \" != *' -'[ADO]' '* ]]; then
        builtin compadd -O found \"\$@\"
        print -rl -- \$found >>$offered
    fi
    builtin compadd \"\$@\"
}
offer() {
    zle list-choices
    print -r -- that is all >>$offered
    exit
}
zle -N offer
bindkey '^I' offer
print re''ady
"
zpty -r shell output '*ready*'
zpty -w -n shell "$1"$'\t'
while zpty -r shell output; do :; done
grep -v '^that is all$' $offered
grep -q '^that is all$' $offered
ended=$?
rm $offered
exit $ended

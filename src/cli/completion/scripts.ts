export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The scripts call the program itself (`__complete`), in the protocol of cobra, which kubectl uses too. */
export const SCRIPTS: Record<Shell, string> = {
  bash: `_kubectl_eni() {
  local line directive values=()
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  while IFS= read -r line; do
    case $line in
      :*) directive=\${line#:} ;;
      *) values+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(kubectl-eni __complete "\${words[@]}" 2>/dev/null)
  COMPREPLY=()
  if [ "\${#values[@]}" -gt 0 ]; then
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "\${values[*]}" -- "\${COMP_WORDS[COMP_CWORD]}"))
  elif [ "$directive" = 0 ]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _kubectl_eni kubectl-eni
`,
  zsh: `#compdef kubectl-eni
_kubectl_eni() {
  local line directive
  local -a values
  while IFS= read -r line; do
    case $line in
      :*) directive=\${line#:} ;;
      *) values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(kubectl-eni __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#values} )); then _describe 'kubectl-eni' values
  elif [[ $directive = 0 ]]; then _files
  fi
}
compdef _kubectl_eni kubectl-eni
`,
  fish: `function __kubectl_eni_complete
  set -l words (commandline -opc) (commandline -ct)
  kubectl-eni __complete $words[2..-1] 2>/dev/null | string match -v ':*'
end
complete -c kubectl-eni -f -a '(__kubectl_eni_complete)'
complete -c kubectl-eni -s f -l filename -r -F
`,
};

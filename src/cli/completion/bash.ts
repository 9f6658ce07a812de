import { alike, type DescribedCommand, type DescribedFlag } from './describe.ts';

const names = (flags: readonly DescribedFlag[]): string => flags.map(({ name }) => `--${name}`).join(' ');

const yes = (is: boolean): string => (is ? 'yes' : '');

const valueCases = (commands: readonly DescribedCommand[]): string[] =>
  alike(
    commands,
    ({ values, isList, files }) => `values='${values.join(' ')}' list=${yes(isList)} files=${yes(files)}`,
  ).map(({ does, flags }) => `    ${flags.map((flag) => `'${flag}'`).join(' | ')}) ${does} ;;`);

const commandCases = (commands: readonly DescribedCommand[]): string[] =>
  commands.map(({ name, flags, values, files }) => {
    const own = names(flags.filter(({ isParameter }) => !isParameter));
    const parameters = names(flags.filter(({ isParameter }) => isParameter));
    const plain = `values='${values.join(' ')}' files=${yes(files)}`;
    return `    ${name}) flags='${own}' parameters='${parameters}' ${plain} ;;`;
  });

/** For bash 3.2 and later. Parameters come up once none of the other flags begins as what is typed. */
export function bashScript(commands: readonly DescribedCommand[]): string {
  const [fallback] = commands;
  const all = commands.map(({ name }) => name);
  return `# Completion of gibbon for bash. To have it in every shell:
#   gibbon completion bash > ~/.local/share/bash-completion/completions/gibbon
# or, without the package bash-completion: write it to a file, and let ~/.bashrc source that.

_gibbon_offer() {
  # Adds those of the words that begin as what is typed.
  local word
  for word in $1; do
    case ",$prefix" in *,"$word",*) continue ;; esac
    [[ $word == "$current"* ]] && COMPREPLY+=("$prefix$word")
  done
}

_gibbon() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} prefix= command=${fallback?.name ?? ''}
  local flags= parameters= values= list= files= file
  COMPREPLY=()
  # --attack=fgsm is three words to bash.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case \${COMP_WORDS[1]} in
    ${all.join(' | ')}) [[ $COMP_CWORD -gt 1 ]] && command=\${COMP_WORDS[1]} ;;
  esac
  case "$command $previous" in
${valueCases(commands).join('\n')}
    *)
      case $command in
${commandCases(commands)
  .map((line) => `    ${line}`)
  .join('\n')}
      esac
      if [[ $current == -* ]]; then
        _gibbon_offer "$flags"
        [[ \${#COMPREPLY[@]} -eq 0 ]] && _gibbon_offer "$parameters"
        return
      fi
      if [[ $COMP_CWORD -eq 1 ]]; then
        values='${all.join(' ')}' files=
      fi
      ;;
  esac
  if [[ -n $list ]]; then
    prefix=\${current%"\${current##*,}"} current=\${current##*,}
    compopt -o nospace 2> /dev/null
  fi
  _gibbon_offer "$values"
  if [[ -n $files && ( \${#COMPREPLY[@]} -eq 0 || -z $values ) ]]; then
    compopt -o filenames 2> /dev/null
    while IFS= read -r file; do COMPREPLY+=("$prefix$file"); done < <(compgen -f -- "$current")
  fi
}

complete -F _gibbon gibbon
`;
}

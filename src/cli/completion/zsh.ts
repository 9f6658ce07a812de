import { quoted } from '../command-line.ts';
import { alike, type DescribedCommand, type DescribedFlag } from './describe.ts';

/** As `_describe` takes it: a name, a colon, what it is. */
const entry = (name: string, label: string): string => quoted(`${name.replaceAll(':', '\\:')}:${label}`);

const entries = (flags: readonly DescribedFlag[]): string =>
  flags.map(({ name, label }) => entry(`--${name}`, label)).join(' ');

const yes = (is: boolean): string => (is ? 'yes' : '');

const valueCases = (commands: readonly DescribedCommand[]): string[] =>
  alike(
    commands,
    ({ values, isList, files }) => `values=(${values.join(' ')}) list=${yes(isList)} files=${yes(files)}`,
  ).map(({ does, flags }) => `    (${flags.map((flag) => `'${flag}'`).join('|')}) ${does} ;;`);

const commandCases = (commands: readonly DescribedCommand[]): string[] =>
  commands.map(({ name, flags, values, files }) => {
    const own = entries(flags.filter(({ isParameter }) => !isParameter));
    const parameters = entries(flags.filter(({ isParameter }) => isParameter));
    const plain = `values=(${values.join(' ')}) files=${yes(files)}`;
    return `        (${name}) flags=(${own}) parameters=(${parameters}) ${plain} ;;`;
  });

export function zshScript(commands: readonly DescribedCommand[]): string {
  const [fallback] = commands;
  return `#compdef gibbon
# Completion of gibbon for zsh. To have it in every shell, write it into a folder of $fpath:
#   gibbon completion zsh > ~/.zfunc/_gibbon      # with fpath+=~/.zfunc before compinit in ~/.zshrc

_gibbon() {
  local command=${fallback?.name ?? ''} previous=\${words[CURRENT-1]} list= files= found=1
  local -a commands flags parameters values chosen
  commands=(${commands.map(({ name, summary }) => entry(name, summary)).join(' ')})
  if (( CURRENT > 2 )) && [[ $words[2] == (${commands.map(({ name }) => name).join('|')}) ]]; then
    command=$words[2]
  fi
  if [[ $PREFIX == --*=* ]]; then
    previous=\${PREFIX%%=*}
    compset -P '--*='
  fi
  case "$command $previous" in
${valueCases(commands).join('\n')}
    (*)
      case $command in
${commandCases(commands).join('\n')}
      esac
      if [[ $PREFIX == -* ]]; then
        _describe -o flag flags || _describe -o parameter parameters
        return
      fi
      if (( CURRENT == 2 )); then
        _describe command commands
        return
      fi
      ;;
  esac
  if [[ -n $list ]]; then
    chosen=(\${(s:,:)\${PREFIX%\${PREFIX##*,}}})
    values=(\${values:|chosen})
    compset -P '*,'
    compadd -S '' -- $values && found=0
  else
    compadd -- $values && found=0
  fi
  [[ -n $files ]] && _files && found=0
  return found
}

# Written to a folder of $fpath this is the function itself; sourced, it has yet to be named.
if [[ $funcstack[1] == _gibbon ]]; then _gibbon "$@"; else compdef _gibbon gibbon; fi
`;
}

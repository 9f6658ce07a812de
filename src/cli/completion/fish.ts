import type { DescribedCommand, DescribedFlag } from './describe.ts';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const SEEN = '__fish_seen_subcommand_from ';

export function fishScript(commands: readonly DescribedCommand[]): string {
  const [fallback, ...others] = commands;
  const conditionOf = ({ name }: DescribedCommand): string =>
    name === fallback?.name
      ? `not __fish_seen_subcommand_from ${others.map((other) => other.name).join(' ')}`
      : SEEN + name;
  const lines = commands.flatMap((command) => {
    const condition = quoted(conditionOf(command));
    const words = [...(command.files ? ['-F'] : []), ...valuesOf(command.values)];
    return [
      `complete -c gibbon -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      // Of the command that is meant where none is named, only where it is: nothing is likelier to come first than a flag.
      ...(words.length === 0 ? [] : [`complete -c gibbon -n ${quoted(SEEN + command.name)} ${words.join(' ')}`]),
      ...command.flags.map((flag) => `complete -c gibbon -n ${condition} ${flagWords(flag).join(' ')}`),
    ];
  });
  return `# Completion of gibbon for fish. To have it in every shell:
#   gibbon completion fish > ~/.config/fish/completions/gibbon.fish

# The words that may come next in a list: those that are not there yet, behind those that are.
function __gibbon_list
    set -l token (string replace -r -- '^--[^=]*=' '' (commandline -ct))
    set -l before (string replace -r -- '[^,]*$' '' $token)
    for word in $argv
        contains -- $word (string split , -- $before); or echo $before$word
    end
end

complete -c gibbon -f
${lines.join('\n')}
`;
}

const valuesOf = (values: readonly string[]): readonly string[] =>
  values.length === 0 ? [] : ['-a', quoted(values.join(' '))];

function flagWords({ name, label, takesValue, isList, values, files }: DescribedFlag): readonly string[] {
  const offered =
    isList && values.length > 0 ? ['-a', quoted(`(__gibbon_list ${values.join(' ')})`)] : valuesOf(values);
  return ['-l', name, '-d', quoted(label), ...(takesValue ? [files ? '-rF' : '-x', ...offered] : [])];
}

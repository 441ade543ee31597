/** Completion scripts: plain lists of commands and flags, so that Tab starts no process. */

/** Shells that can be served. */
export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;
/** Name of a shell in {@link COMPLETION_SHELLS}. */
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** What there is to complete of one command. */
export interface CompletedCommand {
  name: string;
  summary: string;
  /** Values of its first positional, if they are few. */
  words: readonly string[];
  /** With their dashes. */
  flags: readonly string[];
}

const HELP_SUMMARY = 'what a command does, its flags, examples';

/** @param commands the first is the one that runs when none is named */
export function formatCompletion(
  shell: CompletionShell,
  commands: readonly CompletedCommand[],
): string {
  return { bash: formatBash, zsh: formatZsh, fish: formatFish }[shell](commands);
}

function formatBash(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const cases = commands.map(
    ({ name, flags, words }) =>
      `    ${name}) flags="${flags.join(' ')}"; words="${words.join(' ')}" ;;`,
  );
  return `# bash completion of fhir-auth-proxy
_fhir_auth_proxy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" flags='' words=''
  COMPREPLY=()
  # Behind -- stands another program.
  [[ " \${COMP_WORDS[*]:0:COMP_CWORD} " == *' -- '* ]] && return
  case "$command" in
${cases.join('\n')}
    -*|'') flags="${commands[0]?.flags.join(' ') ?? ''}" ;;
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${names} help" -- "$current"))
  elif (( COMP_CWORD == 2 )) && [[ "$command" == help ]]; then
    COMPREPLY=($(compgen -W "${names}" -- "$current"))
  elif (( COMP_CWORD == 2 )) && [[ -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _fhir_auth_proxy fhir-auth-proxy
`;
}

function formatZsh(commands: readonly CompletedCommand[]): string {
  const described = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map(
    ({ name, flags, words }) =>
      `    ${name}) flags=(${flags.join(' ')}); values=(${words.join(' ')}) ;;`,
  );
  // Loaded from $fpath, the file itself becomes the function of the first Tab, under its own name.
  return `#compdef fhir-auth-proxy
_fhir-auth-proxy() {
  local -a commands flags values
  commands=(
${described.join('\n')}
  )
  # Behind -- stands another program.
  if (( \${words[(i)--]} < CURRENT )); then
    _files
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
    help) values=(${commands.map(({ name }) => name).join(' ')}) ;;
    -*) flags=(${commands[0]?.flags.join(' ') ?? ''}) ;;
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    compadd -- $flags
  elif (( CURRENT == 2 )); then
    commands+=('help:${HELP_SUMMARY}')
    _describe command commands
  elif (( CURRENT == 3 && $#values > 0 )); then
    compadd -- $values
  else
    _files
  fi
}
if [[ "$funcstack[1]" == _fhir-auth-proxy ]]; then
  _fhir-auth-proxy "$@"
else
  compdef _fhir-auth-proxy fhir-auth-proxy
fi
`;
}

function formatFish(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  const [first = ''] = names;
  const complete = 'complete -c fhir-auth-proxy';
  const described = [...commands, { name: 'help', summary: HELP_SUMMARY }];
  const lines = [
    ...described.map(
      ({ name, summary }) =>
        `${complete} -n '__fhir_auth_proxy_words 0' -f -a ${name} -d ${quote(summary)}`,
    ),
    ...[...commands, { name: 'help', words: names }]
      .filter(({ words }) => words.length > 0)
      .map(
        ({ name, words }) =>
          `${complete} -n '__fhir_auth_proxy_words 1 ${name}' -f -a '${words.join(' ')}'`,
      ),
    ...commands.flatMap(({ name, flags }) =>
      flags.map((flag) => `${complete} -n '__fhir_auth_proxy_in ${name}' -l ${flag.slice(2)}`),
    ),
  ];
  return `# fish completion of fhir-auth-proxy

# Whether so many words stand between the program and the cursor, the first of them this command.
function __fhir_auth_proxy_words
    set -l before (commandline -opc)
    test (count $before) -eq (math $argv[1] + 1)
    and test "$argv[2]" = "$before[2]"
end

# Whether flags of this command can stand here; behind -- stands another program.
function __fhir_auth_proxy_in
    set -l before (commandline -opc)
    contains -- -- $before
    and return 1
    string match -q -- '-*' "$before[2]"
    or test -z "$before[2]"
    and set before[2] ${first}
    test "$argv[1]" = "$before[2]"
end

${lines.join('\n')}
`;
}

/** Text in single quotes, for zsh and fish alike. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}

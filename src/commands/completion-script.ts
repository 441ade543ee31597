/** Completion scripts: plain lists of commands and flags, so that Tab starts no process. */

/** Shells that can be served. */
export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;
/** One of them. */
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
  case "$command" in
${cases.join('\n')}
    -*|'') flags="${commands[0]?.flags.join(' ') ?? ''}" ;;
  esac
  COMPREPLY=()
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
  return `#compdef fhir-auth-proxy
_fhir_auth_proxy() {
  local -a commands flags values
  commands=(
${described.join('\n')}
  )
  case "$words[2]" in
${cases.join('\n')}
    -*) flags=(${commands[0]?.flags.join(' ') ?? ''}) ;;
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    compadd -- $flags
  elif (( CURRENT == 2 )); then
    _describe command commands
  elif (( CURRENT == 3 && $#values > 0 )); then
    compadd -- $values
  else
    _files
  fi
}
if [[ "$funcstack[1]" == _fhir_auth_proxy ]]; then
  _fhir_auth_proxy "$@"
else
  compdef _fhir_auth_proxy fhir-auth-proxy
fi
`;
}

function formatFish(commands: readonly CompletedCommand[]): string {
  const complete = 'complete -c fhir-auth-proxy';
  const lines = commands.flatMap(({ name, summary, flags, words }) => [
    `${complete} -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
    ...words.map((word) => `${complete} -n '__fish_seen_subcommand_from ${name}' -f -a ${word}`),
    ...flags.map(
      (flag) => `${complete} -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`,
    ),
  ]);
  return `# fish completion of fhir-auth-proxy\n${lines.join('\n')}\n`;
}

/** Text in single quotes, for zsh and fish alike. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}

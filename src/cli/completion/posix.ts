import type { CompletionTable } from './table.ts';

/**
 * Functions that bash and zsh both understand. `_xdpctl_candidates CURRENT WORDS…` prints, a line each, what may follow
 * the words. Nothing that was typed, and no name of an interface or a map, is ever evaluated.
 */
export function posixFunctions(table: CompletionTable): string {
  const valued = [...table.values.keys()].join('|');
  return `
_xdpctl_words() {
  case "$1" in
${cases(table.words)}
  esac
}

_xdpctl_options() {
  case "$1" in
${cases(table.options)}
  esac
  printf '%s\\n' ${table.globalOptions.join(' ')}
}

_xdpctl_after() {
  case "$1" in
${cases(table.after)}
    *' pinned') printf '%s\\n' @pins ;;
    *' dev') printf '%s\\n' @interfaces ;;
    *' file') printf '%s\\n' @files ;;
    'prog '*' id'|'net '*' id') printf '%s\\n' @program-ids ;;
    'prog '*' name'|'net '*' name') printf '%s\\n' @program-names ;;
    'link '*' id') printf '%s\\n' @link-ids ;;
    *' id') printf '%s\\n' @map-ids ;;
    *' name') printf '%s\\n' @map-names ;;
    *) return 1 ;;
  esac
}

_xdpctl_value() {
  case "$1" in
${cases(table.values)}
  esac
}

_xdpctl_candidates() {
  local current="$1" object= verb= last= before= netns= expected= word kind
  shift
  for word in "$@"; do
    if [ -n "$expected" ]; then
      if [ "$expected" = --netns ]; then netns="$word"; fi
      expected=
      continue
    fi
    case "$word" in
      ${valued}) expected="$word" ;;
      -?*) ;;
      *) if [ -z "$object" ]; then object="$word"
         elif [ -z "$verb" ]; then verb="$word"
         else before="$last" last="$word"
         fi ;;
    esac
  done
  {
    if [ -n "$expected" ]; then _xdpctl_value "$expected"
    elif [ "\${current#-}" != "$current" ]; then _xdpctl_options "$object $verb"
    elif [ "$before" = prog ] && [ "$last" = id ]; then echo @program-ids
    elif [ "$before" = prog ] && [ "$last" = name ]; then echo @program-names
    else _xdpctl_after "$object $verb $last" || _xdpctl_words "$object $verb"
    fi
  } | while IFS= read -r kind; do
    case "$kind" in
      @files) echo "$kind" ;;
      @*) command xdpctl \${netns:+--netns="$netns"} __complete "\${kind#@}" 2>/dev/null ;;
      *) printf '%s\\n' "$kind" ;;
    esac
  done
}
`;
}

/** Branches of a case command; words that are the same in several share one. */
function cases(entries: ReadonlyMap<string, readonly string[]>): string {
  const keysByWords = new Map<string, string[]>();
  for (const [key, words] of entries) {
    const text = words.join(' ');
    keysByWords.set(text, [...(keysByWords.get(text) ?? []), `'${key}'`]);
  }
  return [...keysByWords]
    .map(([words, keys]) => `    ${keys.join('|')}) ${words === '' ? ':' : `printf '%s\\n' ${words}`} ;;`)
    .join('\n');
}

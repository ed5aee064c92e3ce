import type { CompletionTable } from './table.ts';

/** The script for fish, which does what posix.ts does in its own language. */
export function fishScript(table: CompletionTable): string {
  return `# Completion of xdpctl for fish, made by: xdpctl completion fish
function __xdpctl_words
    switch $argv[1]
${cases(table.words)}
    end
end

function __xdpctl_options
    switch $argv[1]
${cases(table.options)}
    end
    printf '%s\\n' ${table.globalOptions.join(' ')}
end

function __xdpctl_after
    switch $argv[1]
${cases(table.after)}
        case '* pinned'
            echo @pins
        case '* dev'
            echo @interfaces
        case '* file'
            echo @files
        case 'prog * id' 'net * id'
            echo @program-ids
        case 'prog * name' 'net * name'
            echo @program-names
        case 'link * id'
            echo @link-ids
        case '* id'
            echo @map-ids
        case '* name'
            echo @map-names
        case '*'
            return 1
    end
end

function __xdpctl_value
    switch $argv[1]
${cases(table.values)}
    end
end

function __xdpctl_kinds
    set -l object ''
    set -l verb ''
    set -l last ''
    set -l before ''
    set -l expected ''
    set -g __xdpctl_netns
    for word in (commandline -opc)[2..-1]
        if test -n "$expected"
            test "$expected" = --netns; and set -g __xdpctl_netns --netns $word
            set expected ''
            continue
        end
        switch $word
            case ${[...table.values.keys()].map(quoted).join(' ')}
                set expected $word
            case '-?*'
            case '*'
                if test -z "$object"
                    set object $word
                else if test -z "$verb"
                    set verb $word
                else
                    set before $last
                    set last $word
                end
        end
    end
    if test -n "$expected"
        __xdpctl_value $expected
    else if string match -q -- '-*' (commandline -ct)
        __xdpctl_options "$object $verb"
    else if test "$before $last" = 'prog id'
        echo @program-ids
    else if test "$before $last" = 'prog name'
        echo @program-names
    else
        __xdpctl_after "$object $verb $last"; or __xdpctl_words "$object $verb"
    end
end

function __xdpctl_candidates
    for kind in (__xdpctl_kinds)
        switch $kind
            case @files
                __fish_complete_path (commandline -ct)
            case '@*'
                command xdpctl $__xdpctl_netns __complete (string sub -s 2 -- $kind) 2>/dev/null
            case '*'
                echo $kind
        end
    end
end

complete -c xdpctl -f -a '(__xdpctl_candidates)'
`;
}

/** Branches of a switch. */
function cases(entries: ReadonlyMap<string, readonly string[]>): string {
  const keysByWords = new Map<string, string[]>();
  for (const [key, words] of entries) {
    const text = words.join(' ');
    keysByWords.set(text, [...(keysByWords.get(text) ?? []), quoted(key)]);
  }
  return [...keysByWords]
    .map(([words, keys]) =>
      [`        case ${keys.join(' ')}`, `            ${words === '' ? 'true' : `printf '%s\\n' ${words}`}`].join('\n'),
    )
    .join('\n');
}

function quoted(word: string): string {
  return `'${word}'`;
}

import type { MapInfo } from '../../domain/map-info.ts';

/** A map in a sentence: `devmap 12`. */
export function mapText({ typeName, type, id }: MapInfo): string {
  return `${typeName ?? `map of type ${type},`} ${id}`;
}

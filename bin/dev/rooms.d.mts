export type Room = 'domain' | 'ffi' | 'kernel' | 'tracing' | 'output' | 'cli' | 'run' | 'main';
export const rooms: Record<Room, { folder: string; imported: string; imports: Room[] }>;
export const libraryHomes: Record<string, string>;
export function outsidersOf(room: Room): Room[];

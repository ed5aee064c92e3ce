/** How long a tool may take to load and attach its programs (milliseconds). */
export const startLimit = 30_000;

/** How long it may take to take them out and to print. */
export const stopLimit = 30_000;

/** How long perf may take to say that it has done what it was told; one that does not know how says nothing. */
export const answerLimit = 2000;

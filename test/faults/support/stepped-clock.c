/*
 * A clock of the day that somebody sets back, as NTP or an administrator does, again and again while a command runs.
 * Preloaded (LD_PRELOAD) into Node.js. The monotonic clock goes on, as it does on a real machine.
 *
 *     CLOCK_STEP    by how many seconds the clock is set at each step; negative: back
 *     CLOCK_EVERY   after how many milliseconds each time
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_function)(clockid_t, struct timespec *);

static clock_function real_clock(void)
{
	static clock_function function;
	if (function == NULL)
		function = (clock_function)dlsym(RTLD_NEXT, "clock_gettime");
	return function;
}

/* How far the clock is off by now. */
static long seconds_off(void)
{
	static struct timespec start;
	static long step, every;
	struct timespec now;
	real_clock()(CLOCK_MONOTONIC, &now);
	if (every == 0) {
		const char *by = getenv("CLOCK_STEP"), *after = getenv("CLOCK_EVERY");
		step = by == NULL ? 0 : atol(by);
		every = after == NULL ? 1000 : atol(after);
		start = now;
	}
	long milliseconds = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
	return milliseconds / every * step;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = real_clock()(clock, time);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += seconds_off();
	return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	int result = clock_gettime(CLOCK_REALTIME, &now);
	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return result;
}

/* libfaketime gives a program another clock and translates the deadlines of pthread_cond_timedwait. It does not know cnd_timedwait, with which librdkafka waits: on a host
 * whose clock is ten minutes ahead each wait would take ten minutes longer, and behind it none at all. In glibc both work on the same condition variable. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    int result = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return result == 0 ? thrd_success : result == ETIMEDOUT ? thrd_timedout : thrd_error;
}

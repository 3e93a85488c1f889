package io.holdfast.catalog;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Makes what was written before durable, one fsync for all who wait. Thread-safe.
 *
 * <p>After a failed fsync nothing can be known about the pages it was to write (a second one may
 * succeed without them), so the failure stands until the database is opened again.
 */
final class GroupSync {
    /** Makes durable everything written before it was called. */
    @FunctionalInterface
    interface Sync {
        void run() throws Exception;
    }

    /** The fsync failed, now or earlier. */
    static final class SyncFailed extends RuntimeException {
        SyncFailed(Throwable cause) {
            super(
                    "fsync failed ("
                            + cause.getMessage()
                            + "); what is durable is not known until the database is opened again",
                    cause);
        }
    }

    private final Sync sync;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private long asked;
    private long done;
    private boolean running;
    private @Nullable SyncFailed failure;

    GroupSync(Sync sync) {
        this.sync = sync;
    }

    /** Returns when everything that this thread wrote is durable. @throws SyncFailed */
    void await() {
        lock.lock();
        try {
            long mine = ++asked;
            while (done < mine) {
                if (failure != null) {
                    throw failure;
                }
                if (running) {
                    ended.awaitUninterruptibly();
                } else {
                    run();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** How many have asked so far. */
    long asked() {
        lock.lock();
        try {
            return asked;
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        running = true;
        long upTo = asked;
        Throwable thrown = null;
        lock.unlock();
        try {
            sync.run();
        } catch (Exception | Error e) {
            thrown = e;
        } finally {
            lock.lock();
            running = false;
            if (thrown == null) {
                done = upTo;
            } else {
                failure = new SyncFailed(thrown);
            }
            ended.signalAll();
        }
    }
}

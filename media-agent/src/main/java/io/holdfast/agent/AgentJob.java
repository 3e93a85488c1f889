package io.holdfast.agent;

import io.holdfast.agent.files.JobMonitor;
import io.holdfast.agent.proto.v1.CancelRequest;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A job that runs or has ended, as any number of watchers see it: all of its log, then progress, then
 * the outcome. At most {@value #LINES} log lines are kept; the rest is counted, and is in the agent's
 * own log. Thread-safe.
 */
final class AgentJob {
    private static final Logger log = LoggerFactory.getLogger(AgentJob.class);
    static final int LINES = 2000;

    private final UUID id;
    private final JobMonitor monitor = new JobMonitor(this::line);
    private final List<LogLine> lines = new ArrayList<>();
    private long dropped;
    private @Nullable Outcome outcome;
    private volatile boolean stopping;
    private boolean checkpointing;

    AgentJob(UUID id) {
        this.id = id;
    }

    /** A job that has ended. */
    AgentJob(UUID id, JobBook.Finished finished) {
        this.id = id;
        this.lines.addAll(finished.log());
        this.outcome = finished.outcome();
    }

    UUID id() {
        return id;
    }

    JobMonitor monitor() {
        return monitor;
    }

    private synchronized void line(LogLine.Level level, String path, String message) {
        if (level != LogLine.Level.INFO) {
            log.info("job {} {}: {}: {}", id, level, path, message);
        }
        if (lines.size() == LINES) {
            dropped++;
            return;
        }
        lines.add(LogLine.newBuilder().setLevel(level).setPath(path).setMessage(message).build());
        notifyAll();
    }

    /** The log as it is kept with the outcome; after this no line is added. */
    synchronized List<LogLine> closeLog() {
        if (dropped > 0) {
            lines.add(
                    LogLine.newBuilder()
                            .setLevel(LogLine.Level.WARNING)
                            .setMessage(dropped + " further lines are in the agent's own log")
                            .build());
            dropped = 0;
        }
        return List.copyOf(lines);
    }

    synchronized void end(Outcome with) {
        outcome = with;
        notifyAll();
    }

    synchronized boolean hasEnded() {
        return outcome != null;
    }

    /** The agent stops: the job ends as failed, not as cancelled. */
    void stop() {
        stopping = true;
        monitor.cancel();
    }

    /** Asks the job to stop. Where somebody wants it cancelled, before or after, nothing goes on with it. */
    synchronized void cancel(CancelRequest.Reason reason) {
        checkpointing =
                reason == CancelRequest.Reason.CHECKPOINT
                        && (checkpointing || !monitor.isCancelled());
        monitor.cancel();
    }

    /** Whether it was asked to stop because another job goes on with it. */
    synchronized boolean isCheckpointing() {
        return checkpointing;
    }

    boolean isStopping() {
        return stopping;
    }

    /** Waits until the job has ended. False when it did not in time. */
    synchronized boolean awaitEnd(long millis) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (outcome == null) {
            long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    /** Where a watcher sees events. */
    interface Watcher {
        /** Takes an event; blocks while there is no room; false when nobody listens any more. */
        boolean event(JobEvent event) throws InterruptedException;
    }

    /** Tells all, in the calling thread, until the outcome or until nobody listens. */
    void watch(Watcher watcher, long periodMillis) throws InterruptedException {
        int told = 0;
        Progress last = Progress.getDefaultInstance();
        long lastNanos = System.nanoTime();
        while (true) {
            List<LogLine> news;
            Outcome end;
            synchronized (this) {
                if (told == lines.size() && outcome == null) {
                    wait(periodMillis);
                }
                news = List.copyOf(lines.subList(told, lines.size()));
                told = lines.size();
                end = outcome;
            }
            for (LogLine line : news) {
                if (!watcher.event(JobEvent.newBuilder().setLog(line).build())) {
                    return;
                }
            }
            if (end != null) {
                watcher.event(JobEvent.newBuilder().setOutcome(end).build());
                return;
            }
            long nanos = System.nanoTime();
            if (nanos - lastNanos < TimeUnit.MILLISECONDS.toNanos(periodMillis)) {
                continue;
            }
            lastNanos = nanos;
            Progress now = monitor.progress();
            if (!now.equals(last)) {
                if (!watcher.event(JobEvent.newBuilder().setProgress(now).build())) {
                    return;
                }
                last = now;
            }
        }
    }
}

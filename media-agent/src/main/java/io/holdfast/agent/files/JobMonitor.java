package io.holdfast.agent.files;

import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Progress;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What a running job tells the world, and how the world stops it. Thread-safe: the job's workers
 * count, one other thread reads {@link #progress}.
 */
public final class JobMonitor {
    /** Takes the lines of the job's log. Called by any worker; must not block. */
    public interface Log {
        /**
         * One line.
         *
         * @param path lossy UTF-8, for people; may be empty
         */
        void line(LogLine.Level level, String path, String message);
    }

    final LongAdder files = new LongAdder();
    final LongAdder unchanged = new LongAdder();
    final LongAdder bytesRead = new LongAdder();
    final LongAdder bytesNew = new LongAdder();
    final LongAdder bytesStored = new LongAdder();
    private final AtomicInteger warnings = new AtomicInteger();
    private final AtomicInteger errors = new AtomicInteger();
    private final Log log;
    private volatile String phase = "scan";
    private volatile boolean cancelled;
    private volatile @Nullable JobStorage session;

    /** A monitor that writes to {@code log}. */
    public JobMonitor(Log log) {
        this.log = log;
    }

    /** Asks the job to stop; it ends with a {@link CancellationException} soon. */
    public void cancel() {
        cancelled = true;
    }

    /** Whether it was asked to stop. */
    public boolean isCancelled() {
        return cancelled;
    }

    void checkCancelled() {
        if (cancelled) {
            throw new CancellationException("cancelled");
        }
    }

    void phase(String name) {
        phase = name;
    }

    void session(JobStorage with) {
        session = with;
    }

    void info(byte[] path, String message) {
        log.line(LogLine.Level.INFO, PathBytes.text(path), message);
    }

    void warning(byte[] path, String message) {
        warnings.incrementAndGet();
        log.line(LogLine.Level.WARNING, PathBytes.text(path), message);
    }

    void error(byte[] path, String message) {
        errors.incrementAndGet();
        log.line(LogLine.Level.ERROR, PathBytes.text(path), message);
    }

    int warnings() {
        return warnings.get();
    }

    int errors() {
        return errors.get();
    }

    /** Where the job is now. */
    public Progress progress() {
        JobStorage with = session;
        return Progress.newBuilder()
                .setFiles(files.sum())
                .setBytesRead(bytesRead.sum())
                .setBytesNew(bytesNew.sum())
                .setBytesStored(bytesStored.sum())
                .setBytesDurable(with == null ? 0 : with.durableBytes())
                .setChunksDurable(with == null ? 0 : with.durableFrames())
                .setPhase(phase)
                .build();
    }
}

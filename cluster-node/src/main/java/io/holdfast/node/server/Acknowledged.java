package io.holdfast.node.server;

import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.state.JobRecord;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What both sites have of the log that this node leads: the book of acknowledgements, and the index at
 * which each job's newest record stands. A leader makes one for each epoch that it leads. Thread-safe.
 */
final class Acknowledged {
    /** For a node that leads nothing: it knows of no acknowledgement. */
    static final Acknowledged NOTHING = new Acknowledged(null, -1);

    private static final int MAX_JOBS = 10_000;

    private final @Nullable ProtectionWatch watch;
    private final @Nullable SiteAckBook book;
    private final Map<UUID, Long> jobs = new HashMap<>();

    /** Records of jobs that are not in {@link #jobs} stand at or below this index. */
    private long floor;

    /**
     * @param floor what was applied here when this node began to lead
     */
    Acknowledged(@Nullable ProtectionWatch watch, long floor) {
        this.watch = watch;
        this.book = watch == null ? null : watch.book();
        this.floor = floor;
    }

    /** Newest index that a quorum of each site has; -1 for none. */
    long protectedIndex() {
        return book == null ? -1 : book.protectedIndex();
    }

    /** Waits until that has reached an index, or for some time. @return whether it has */
    boolean await(long index, Duration most) throws InterruptedException {
        ProtectionWatch known = watch;
        if (known == null) {
            Thread.sleep(most);
            return false;
        }
        CompletableFuture<Long> reached = known.whenProtected(index);
        try {
            reached.get(Math.max(0, most.toNanos()), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (CancellationException e) {
            Thread.sleep(most); // this node leads no more: whoever asks in a loop must not spin
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a watch completes or is cancelled", e);
        } finally {
            reached.cancel(false);
        }
    }

    /** Newest index that a quorum of the other site has; -1 for none. */
    long otherSite() {
        return book == null ? -1 : book.otherSiteIndex();
    }

    /** Newest index that a quorum of the own site has, this leader left out of account. */
    long ownSite(long applied) {
        return book == null ? applied : Math.min(applied, book.ownSiteIndex());
    }

    /** The newest record of a job was written at this index. */
    synchronized void recorded(UUID lineage, UUID job, long index) {
        if (book == null || !book.lineage().equals(lineage)) {
            return;
        }
        if (jobs.size() >= MAX_JOBS) {
            floor =
                    Math.max(
                            floor,
                            jobs.values().stream().mapToLong(Long::longValue).max().orElse(0));
            jobs.clear();
        }
        jobs.merge(job, index, Math::max);
    }

    /**
     * Whether a quorum of each site has a job's newest record.
     *
     * @param applied newest index applied here, for a record that another node wrote
     */
    boolean isRecorded(JobRecord job, LongSupplier applied) {
        long index;
        synchronized (this) {
            Long known = jobs.get(job.id());
            if (known == null && job.recovered() && book != null) {
                known = applied.getAsLong();
                jobs.put(job.id(), known);
            }
            index = known == null ? floor : known;
        }
        return book != null && protectedIndex() >= index;
    }
}

package io.holdfast.replication.site;

import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * Waits for entries to become protected: a {@link SiteAckBook} and those who wait for it. The leader
 * makes one for each epoch that it leads, and closes it when it leads no more. Thread-safe.
 */
public final class ProtectionWatch implements AutoCloseable {
    private final SiteAckBook book;

    /** Who waits, by index and ticket. */
    private final NavigableMap<Long, Map<Long, CompletableFuture<Long>>> waiting = new TreeMap<>();

    private long tickets;
    private boolean closed;

    /** Watches a book; all acknowledgements must come through {@link #enter}. */
    public ProtectionWatch(SiteAckBook book) {
        this.book = book;
    }

    /** The book. */
    public SiteAckBook book() {
        return book;
    }

    /** Enters an acknowledgement and wakes whom it concerns. See {@link SiteAckBook#enter}. */
    public boolean enter(SiteAck ack, long leaderLastIndex) {
        List<CompletableFuture<Long>> ready = new ArrayList<>();
        boolean counts;
        long index;
        synchronized (this) {
            counts = book.enter(ack, leaderLastIndex);
            index = book.protectedIndex();
            Map<Long, Map<Long, CompletableFuture<Long>>> reached = waiting.headMap(index, true);
            reached.values().forEach(w -> ready.addAll(w.values()));
            reached.clear();
        }
        ready.forEach(f -> f.complete(index));
        return counts;
    }

    /**
     * Completes with the protected index once it has reached {@code index}; is cancelled when the
     * watch closes. Bound it with {@code orTimeout}; a completed future is forgotten.
     */
    public CompletableFuture<Long> whenProtected(long index) {
        CompletableFuture<Long> future = new CompletableFuture<>();
        synchronized (this) {
            long now = book.protectedIndex();
            if (now >= index) {
                future.complete(now);
            } else if (closed) {
                future.cancel(false);
            } else {
                long ticket = tickets++;
                waiting.computeIfAbsent(index, i -> new HashMap<>()).put(ticket, future);
                var _ = future.whenComplete((i, e) -> forget(index, ticket));
            }
        }
        return future;
    }

    private synchronized void forget(long index, long ticket) {
        Map<Long, CompletableFuture<Long>> others = waiting.get(index);
        if (others != null) {
            others.remove(ticket);
            if (others.isEmpty()) {
                waiting.remove(index);
            }
        }
    }

    /** Everything up to here is at the other site; -1 for nothing. */
    public long protectedIndex() {
        return book.protectedIndex();
    }

    /** Cancels all who wait. */
    @Override
    public void close() {
        List<CompletableFuture<Long>> all = new ArrayList<>();
        synchronized (this) {
            closed = true;
            waiting.values().forEach(w -> all.addAll(w.values()));
            waiting.clear();
        }
        all.forEach(f -> f.cancel(false));
    }
}

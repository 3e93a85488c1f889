package io.holdfast.chaos.fault;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A thread that keeps packets for a while before they reach their machine, as a long line would. Packets
 * of one machine keep their order. It stands where packets arrive, never where they leave: TCP
 * measures how far its own packets have left the machine and sends less when they stay there.
 */
final class SlowLink implements AutoCloseable {
    /** How late the end of this is noticed when no packet comes. */
    private static final long LOOK_NANOS = 20_000_000;

    private static final long END_MILLIS = 10_000;

    private final List<Line> lines = new ArrayList<>();
    private final Duration oneWay;
    private final Thread thread;
    private volatile boolean ends;

    /** A packet that waits, until a time of {@link System#nanoTime}. */
    private record Waiting(int packet, long until) {}

    /** The packets of one machine. */
    private record Line(PacketQueue queue, Deque<Waiting> waiting) {}

    /**
     * Keeps what the filters of some namespaces put into the queue of this number.
     *
     * @param pids processes in these namespaces, one in each
     */
    SlowLink(List<Long> pids, int queue, Duration oneWay) throws IOException {
        this.oneWay = oneWay;
        try {
            for (long pid : pids) {
                lines.add(new Line(PacketQueue.open(pid, queue), new ArrayDeque<>()));
            }
        } catch (IOException | RuntimeException e) {
            lines.forEach(line -> line.queue().close());
            throw e;
        }
        // Nothing may delay the delay: not a virtual thread, which shares its carrier.
        this.thread = Thread.ofPlatform().daemon().name("slow link").start(this::run);
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment polled = arena.allocate((long) lines.size() * Long.BYTES, Long.BYTES);
            ByteBuffer entries = polled.asByteBuffer();
            lines.forEach(line -> line.queue().pollfd(entries));
            while (!ends) {
                Kernel.poll(polled, Math.clamp(untilNext(), 0, LOOK_NANOS));
                step(false);
            }
            step(true);
        } catch (IOException e) {
            // A cut that nobody asked for: what waits is dropped, and all that comes.
            System.err.println("The slow link fails: " + e);
        } finally {
            lines.forEach(line -> line.queue().close());
        }
    }

    private long untilNext() {
        long now = System.nanoTime();
        return lines.stream()
                .map(line -> line.waiting().peek())
                .mapToLong(first -> first == null ? LOOK_NANOS : first.until() - now)
                .min()
                .orElse(LOOK_NANOS);
    }

    /** Takes what has arrived, and passes what has waited long enough, or everything. */
    private void step(boolean everything) throws IOException {
        for (Line line : lines) {
            long now = System.nanoTime();
            long until = now + oneWay.toNanos();
            line.queue().arrived(packet -> line.waiting().add(new Waiting(packet, until)));
            @Nullable Waiting last = null;
            while (!line.waiting().isEmpty()
                    && (everything || line.waiting().element().until() - now <= 0)) {
                last = line.waiting().remove();
            }
            if (last != null) {
                line.queue().pass(last.packet());
            }
        }
    }

    /** Lets everything go on at once. No rule may name the queue any more. */
    @Override
    public void close() {
        ends = true;
        try {
            thread.join(END_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.holdfast.chaos.bench;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.init.ClusterInit;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.GroupResource;
import io.holdfast.standard.ReplicationResource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Fills the resource DB by ordinary writes, many at a time: nine groups to each Replication row. */
final class Entries {
    private static final int WRITERS = 64;
    private static final int ATTEMPTS = 100;

    private final Writer writer;
    private final String node;

    /**
     * @param node that is asked: the leader, so that nothing is passed on
     */
    Entries(Writer writer, String node) {
        this.writer = writer;
        this.node = node;
    }

    /** The small resource that is written again and again. */
    static ResourceView small(UUID id, int i) {
        return ResourceView.of(
                new GroupResource(
                                "bench-" + id,
                                ClusterInit.GROUP,
                                ClusterInit.GROUP + "-" + i,
                                ClusterInit.GROUP)
                        .toResource(id),
                -1);
    }

    private static ResourceView entry(int i) {
        UUID id = UUID.randomUUID();
        if (i % 10 != 0) {
            return small(id, i);
        }
        String host = (i >> 16 & 255) + "." + (i >> 8 & 255) + "." + (i & 255) + ":7000";
        return ResourceView.of(
                new ReplicationResource(Endpoint.parse("11." + host), Endpoint.parse("12." + host))
                        .toResource(id),
                -1);
    }

    /**
     * Writes so many new resources.
     *
     * @param told after each tenth of them
     */
    void fill(int count, IntConsumer told) throws BenchFailed, InterruptedException {
        AtomicInteger next = new AtomicInteger();
        Callable<Integer> work =
                () -> {
                    for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                        write(entry(i));
                        if ((i + 1) % Math.max(1, count / 10) == 0) {
                            told.accept(i + 1);
                        }
                    }
                    return next.get();
                };
        List<Callable<Integer>> all = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            all.add(work);
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Integer> one : threads.invokeAll(all)) {
                var _ = one.get();
            }
        } catch (ExecutionException e) {
            throw new BenchFailed("Could not write " + count + " resources: " + e.getCause());
        }
    }

    /** The same write again does the same: its id and name are its own. */
    private void write(ResourceView entry) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                var _ = writer.write(node, entry);
                return;
            } catch (ApiException e) {
                boolean again =
                        e.kind() == ApiException.Kind.UNAVAILABLE
                                || e.kind() == ApiException.Kind.UNKNOWN;
                if (!again || attempt == ATTEMPTS) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }
}

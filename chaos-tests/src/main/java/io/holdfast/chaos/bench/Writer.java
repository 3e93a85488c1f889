package io.holdfast.chaos.bench;

import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.init.OperatorContext;
import io.holdfast.node.rest.RestClient;
import java.io.IOException;
import java.net.http.HttpClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Writes resources over REST as the cluster's operator. Thread-safe. */
final class Writer implements AutoCloseable {
    private static final long PAUSE_MILLIS = 10;

    private final HttpClient pool;
    private final Map<String, RestClient> nodes = new LinkedHashMap<>();

    Writer(OperatorContext context) throws IOException {
        TlsMaterial tls = TlsMaterial.load(context.identity());
        this.pool = RestClient.pool(tls);
        context.nodes().forEach(n -> nodes.put(n.id(), RestClient.of(pool, tls, n.rest())));
    }

    /** One write, at one node. @throws ApiException when it was not accepted */
    Saved<ResourceView> write(String node, ResourceView resource) {
        return Objects.requireNonNull(nodes.get(node), node).putResource(resource);
    }

    /**
     * Asks these nodes in turn, one at a time, until one accepts the write.
     *
     * @param patience seconds
     */
    Accepted untilAccepted(List<String> nodes, ResourceView resource, double patience)
            throws BenchFailed, InterruptedException {
        long end = System.nanoTime() + (long) (patience * 1e9);
        String last = "";
        for (int i = 0; System.nanoTime() < end; i++) {
            String node = nodes.get(i % nodes.size());
            try {
                return new Accepted(node, System.nanoTime(), write(node, resource));
            } catch (ApiException e) {
                last = node + ": " + e.getMessage();
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        throw new BenchFailed("No write was accepted in " + patience + " s; last, " + last);
    }

    /**
     * A write that was accepted.
     *
     * @param node which took it
     * @param asked when it was asked, of {@link System#nanoTime}
     */
    record Accepted(String node, long asked, Saved<ResourceView> answer) {}

    @Override
    public void close() {
        pool.shutdownNow();
    }
}

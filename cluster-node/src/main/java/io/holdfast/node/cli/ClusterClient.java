package io.holdfast.node.cli;

import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.init.OperatorContext;
import io.holdfast.node.rest.RestClient;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as the operator's context names it. Every node is asked for its health first, all at
 * once, so that a dead or frozen one costs no time; then the best node is asked: of the highest epoch,
 * one that takes writes before one that does not. For one thread.
 */
final class ClusterClient implements AutoCloseable {
    /** How long to wait for slower nodes once one has answered. */
    private static final long GRACE_MILLIS = 400;

    private static final long PATIENCE_MILLIS = 4_000;

    private final OperatorContext context;
    private final TlsMaterial tls;
    private final HttpClient pool;

    private ClusterClient(OperatorContext context, TlsMaterial tls) {
        this.context = context;
        this.tls = tls;
        this.pool = RestClient.pool(tls);
    }

    /** Opens the operator's identity. @throws Problem when it has expired */
    static ClusterClient open(OperatorContext context) throws IOException {
        TlsMaterial tls = TlsMaterial.load(context.identity());
        java.time.Instant end = tls.chain().get(0).getNotAfter().toInstant();
        if (InstantSource.system().instant().isAfter(end)) {
            throw new Problem(
                    ExitCode.FAILED,
                    "The certificate of operator "
                            + context.operator()
                            + " expired at "
                            + end
                            + ".",
                    "Enrol the operator again where the cluster's authorities are kept.");
        }
        return new ClusterClient(context, tls);
    }

    OperatorContext context() {
        return context;
    }

    /** A node and what it said of itself. */
    record Seen(OperatorContext.Node node, NodeApi api, @Nullable HealthView health) {
        boolean answered() {
            return health != null;
        }

        boolean writable() {
            return health != null && health.writable();
        }

        long epoch() {
            try {
                return health == null ? -1 : Epoch.parse(health.epoch()).encoded();
            } catch (FormatException e) {
                return 0;
            }
        }
    }

    /** Asks nodes for their health at once; the best first, those without an answer last. */
    List<Seen> look(List<OperatorContext.Node> nodes) {
        List<Seen> seen = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ExecutorCompletionService<Seen> answers = new ExecutorCompletionService<>(threads);
            List<Future<Seen>> asked = new ArrayList<>();
            for (OperatorContext.Node node : nodes) {
                asked.add(answers.submit(() -> ask(node)));
            }
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
            for (int left = nodes.size(); left > 0; left--) {
                Future<Seen> answer =
                        answers.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (answer == null) {
                    break;
                }
                Seen one = answer.get();
                seen.add(one);
                if (one.answered()) {
                    deadline =
                            Math.min(
                                    deadline,
                                    System.nanoTime()
                                            + TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS));
                }
            }
            asked.forEach(a -> a.cancel(true));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking for health never fails", e);
        }
        for (OperatorContext.Node node : nodes) {
            if (seen.stream().noneMatch(s -> s.node().equals(node))) {
                seen.add(new Seen(node, api(node), null));
            }
        }
        seen.sort(
                Comparator.comparing(Seen::answered)
                        .thenComparingLong(Seen::epoch)
                        .thenComparing(Seen::writable)
                        .reversed());
        return seen;
    }

    private NodeApi api(OperatorContext.Node node) {
        return RestClient.of(pool, tls, node.rest());
    }

    private Seen ask(OperatorContext.Node node) {
        NodeApi api = api(node);
        try {
            return new Seen(node, api, api.health());
        } catch (ApiException e) {
            return new Seen(node, api, null);
        }
    }

    /** Asks every node in turn until one answers. What a node refuses for good is not asked again. */
    <T> T read(Function<NodeApi, T> call) {
        return inTurn(look(context.nodes()), call);
    }

    /**
     * Asks nodes in turn until one accepts. A refusal by a node that takes writes is final; so is an
     * unknown outcome, because the next node might do it a second time.
     */
    <T> T write(Function<NodeApi, T> call) {
        return inTurn(look(context.nodes()), call);
    }

    /** The nodes that a failover may be asked of: those of the site that is to take over. */
    List<Seen> standby(Site site) {
        List<Seen> nodes = look(context.nodes(site));
        if (nodes.isEmpty()) {
            throw new Problem(
                    ExitCode.FAILED,
                    "The context of cluster "
                            + context.name()
                            + " lists no node of site "
                            + site.word()
                            + ".",
                    "Give one that does with --context, or name the other site with --site.");
        }
        if (!nodes.get(0).answered()) {
            throw new Problem(
                    ExitCode.FAILED,
                    "No node of site "
                            + site.word()
                            + " answers at "
                            + String.join(
                                    ", ",
                                    context.nodes(site).stream()
                                            .map(n -> n.rest().toString())
                                            .toList())
                            + ".",
                    "Start it there: holdfast server --config node.yml.");
        }
        return nodes.stream().filter(Seen::answered).toList();
    }

    private <T> T inTurn(List<Seen> nodes, Function<NodeApi, T> call) {
        ApiException best = null;
        for (Seen node : nodes) {
            try {
                return call.apply(node.api());
            } catch (ApiException e) {
                boolean final_ =
                        switch (e.kind()) {
                            case UNAVAILABLE -> false;
                            case REFUSED, STALE_EPOCH -> node.writable();
                            case NOT_FOUND, USAGE, FAILED, UNKNOWN -> true;
                        };
                if (final_) {
                    throw e;
                }
                if (best == null || best.kind() == ApiException.Kind.UNAVAILABLE) {
                    best = e;
                }
            }
        }
        if (best == null) {
            throw new IllegalStateException("a context names at least one node");
        }
        if (best.kind() == ApiException.Kind.UNAVAILABLE
                && nodes.stream().noneMatch(Seen::answered)) {
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "No node of cluster "
                            + context.name()
                            + " answers ("
                            + String.join(
                                    ", ",
                                    nodes.stream()
                                            .map(n -> n.node().id() + " " + n.node().rest())
                                            .toList())
                            + "). "
                            + best.getMessage(),
                    "Start one: holdfast server --config node.yml; or name another --context.");
        }
        throw best;
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}

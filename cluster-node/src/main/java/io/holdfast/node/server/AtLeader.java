package io.holdfast.node.server;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.NodeApi;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Serves a write here, or sends it to the leader. Where the active site has none at the moment, because
 * one is being elected or members are being added, it waits for one: nothing has been done until then.
 * Thread-safe; blocks.
 */
final class AtLeader {
    private static final long POLL_MILLIS = 50;

    /** What this node knows of who leads. */
    interface Site {
        /** Whether this node leads, and may write. */
        boolean serves();

        /** Another node that leads, and may be asked. */
        Optional<NodeApi> leader();

        /** Whether it is worth waiting for a leader. */
        boolean mayHaveOneSoon();

        /** The refusal. */
        ApiException cannotServe();
    }

    private final Site site;
    private final Duration patience;

    /**
     * @param patience how long a write waits
     */
    AtLeader(Site site, Duration patience) {
        this.site = site;
        this.patience = patience;
    }

    /**
     * Does it once.
     *
     * @throws ApiException the refusal, certainly not done, when there is no leader in time
     */
    <T> T write(Function<NodeApi, T> there, Supplier<T> here) {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            if (site.serves()) {
                return here.get();
            }
            Optional<NodeApi> leader = site.leader();
            if (leader.isPresent()) {
                return there.apply(leader.get());
            }
            if (!site.mayHaveOneSoon() || System.nanoTime() >= end) {
                throw site.cannotServe();
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw site.cannotServe();
            }
        }
    }
}

package io.holdfast.agent.wire;

import io.grpc.StatusRuntimeException;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.proto.v1.EpochNamespace;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.util.UUID;

/**
 * What a handler does first with the context of a request: known protocol, own namespace, same cluster,
 * and an epoch that is not lower than one obeyed before. The namespace comes before any epoch is looked
 * at: a rehearsal's token is refused by its type, however high it is. Thread-safe.
 */
public final class ContextCheck {
    private final UUID cluster;
    private final EpochGuard guard;
    private final EpochNamespace namespace;

    /** Checks production's requests for one cluster and one guard. */
    public ContextCheck(UUID cluster, EpochGuard guard) {
        this(cluster, guard, EpochNamespace.PRODUCTION);
    }

    /** Checks requests of a namespace; the guard is one of that namespace. */
    public ContextCheck(UUID cluster, EpochGuard guard, EpochNamespace namespace) {
        this.cluster = cluster;
        this.guard = guard;
        this.namespace = namespace;
    }

    /**
     * A context that passed.
     *
     * @param epoch of the sender
     * @param stale true when a higher epoch has been obeyed (only {@link #acceptStale} gives this)
     * @param operation the sender's operation id; all zeros when it gave none
     */
    public record Accepted(Epoch epoch, boolean stale, UUID operation) {}

    /**
     * Accepts the context of a request that must be in the present epoch; a higher one is obeyed,
     * durably, before this returns.
     *
     * @throws StatusRuntimeException STALE_EPOCH, REHEARSAL (another namespace), UNAUTHORIZED (foreign
     *     cluster), WRONG_VERSION, REFUSED (malformed), UNAVAILABLE (the epoch could not be made durable)
     */
    public Accepted accept(RequestContext context) {
        Accepted accepted = acceptStale(context);
        if (accepted.stale()) {
            throw Errors.fromHandler(new StaleEpochException(accepted.epoch(), guard.max()));
        }
        return accepted;
    }

    /**
     * Accepts also a lower epoch: for requests that are harmless in any (to describe, to read, to put
     * chunks). A higher one is obeyed all the same.
     */
    public Accepted acceptStale(RequestContext context) {
        requireFitting(context, cluster, namespace);
        try {
            UUID operation =
                    context.getOperation().isEmpty()
                            ? new UUID(0, 0)
                            : Wire.uuid(context.getOperation(), "operation id");
            Epoch epoch = Epoch.decode(context.getEpoch());
            try {
                guard.observe(epoch);
                return new Accepted(epoch, false, operation);
            } catch (StaleEpochException e) {
                return new Accepted(epoch, true, operation);
            }
        } catch (FormatException e) {
            throw Errors.fromHandler(e);
        } catch (IOException e) {
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "The epoch of the request could not be made durable: " + e.getMessage(),
                    "Repair the storage of the epoch file, then try again",
                    null);
        }
    }

    /**
     * Checks all but the epoch, for a receiver that obeys none.
     *
     * @throws StatusRuntimeException WRONG_VERSION, REHEARSAL, UNAUTHORIZED (foreign cluster), REFUSED
     *     (malformed)
     */
    public static void requireFitting(
            RequestContext context, UUID cluster, EpochNamespace namespace) {
        if (context.getProtocol() != Wire.PROTOCOL) {
            throw Errors.status(
                    ErrorDetail.Code.WRONG_VERSION,
                    "Refused protocol version "
                            + context.getProtocol()
                            + ": this program speaks version "
                            + Wire.PROTOCOL,
                    "Bring both programs to the same version",
                    null);
        }
        if (context.getNamespace() != namespace) {
            throw Errors.status(
                    ErrorDetail.Code.REHEARSAL,
                    "Refused an epoch of namespace "
                            + context.getNamespace()
                            + ": this service is of namespace "
                            + namespace
                            + ", and its tokens are of another type",
                    "A rehearsal talks to its own sandbox alone, and production never talks to one",
                    null);
        }
        UUID from;
        try {
            from = Wire.uuid(context.getCluster(), "cluster id");
        } catch (FormatException e) {
            throw Errors.fromHandler(e);
        }
        if (!from.equals(cluster)) {
            throw Errors.status(
                    ErrorDetail.Code.UNAUTHORIZED,
                    "Refused a request for cluster " + from + ": this is cluster " + cluster,
                    "Dial an endpoint of your own cluster",
                    null);
        }
    }

    /** The highest epoch obeyed. */
    public Epoch maxEpoch() {
        return guard.max();
    }
}

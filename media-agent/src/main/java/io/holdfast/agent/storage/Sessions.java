package io.holdfast.agent.storage;

import com.google.protobuf.ByteString;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** The open sessions of a storage, bounded in number and in idle time. Thread-safe. */
final class Sessions {
    /** One session; {@link #close} ends one use of it. */
    static final class Session {
        final UUID id = UUID.randomUUID();
        final PeerIdentity peer;
        final Purpose purpose;
        final UUID operation;
        private final AtomicInteger uses = new AtomicInteger();
        private volatile long lastUse;
        private volatile boolean ended;

        private Session(PeerIdentity peer, Purpose purpose, UUID operation, long now) {
            this.peer = peer;
            this.purpose = purpose;
            this.operation = operation;
            this.lastUse = now;
        }

        /** True after it was closed or expired: nothing may be appended for it. */
        boolean ended() {
            return ended;
        }
    }

    /** A use of a session: while it is open, the session does not expire. */
    final class Use implements AutoCloseable {
        private final Session session;
        private boolean closed;

        private Use(Session session) {
            this.session = session;
            session.uses.incrementAndGet();
        }

        Session session() {
            return session;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                session.lastUse = nanoClock.getAsLong();
                session.uses.decrementAndGet();
            }
        }
    }

    private static final int RELEASES = 2;
    private static final UUID NO_OPERATION = new UUID(0, 0);

    private final Map<UUID, Session> open = new ConcurrentHashMap<>();
    private final int max;
    private final long idleNanos;
    private final LongSupplier nanoClock;
    private final Consumer<UUID> begin;
    private final Consumer<UUID> release;

    /** Sessions that ended lately, and for how many rounds more they are released again. */
    private final Map<UUID, Integer> ended = new ConcurrentHashMap<>();

    Sessions(
            int max,
            long idleNanos,
            LongSupplier nanoClock,
            Consumer<UUID> begin,
            Consumer<UUID> release) {
        this.max = max;
        this.idleNanos = idleNanos;
        this.nanoClock = nanoClock;
        this.begin = begin;
        this.release = release;
    }

    /** Opens one; the same operation of the same peer gets the same one again. */
    synchronized Session open(PeerIdentity peer, Purpose purpose, UUID operation) {
        if (!operation.equals(NO_OPERATION)) {
            for (Session session : open.values()) {
                if (session.operation.equals(operation)
                        && session.peer.equals(peer)
                        && session.purpose == purpose) {
                    return session;
                }
            }
        }
        if (open.size() >= max) {
            expire();
        }
        if (open.size() >= max) {
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "The storage has " + max + " open sessions, which is its bound",
                    "Try again when other jobs have ended",
                    null);
        }
        Session session = new Session(peer, purpose, operation, nanoClock.getAsLong());
        begin.accept(session.id);
        open.put(session.id, session);
        return session;
    }

    /**
     * Begins a use of a session by its owner.
     *
     * @throws io.grpc.StatusRuntimeException NOT_FOUND, or UNAUTHORIZED for somebody else's session,
     *     or REFUSED when its purpose does not fit
     */
    Use use(ByteString id, PeerIdentity peer, Set<Purpose> purposes) {
        UUID uuid;
        try {
            uuid = Wire.uuid(id, "session id");
        } catch (IllegalArgumentException e) {
            throw Errors.fromHandler(e);
        }
        Session session = open.get(uuid);
        if (session == null) {
            throw ended(uuid);
        }
        if (!session.peer.equals(peer)) {
            throw Errors.status(
                    ErrorDetail.Code.UNAUTHORIZED,
                    "Refused " + peer + ": session " + uuid + " belongs to another peer",
                    "Open a session of your own",
                    null);
        }
        if (!purposes.contains(session.purpose)) {
            throw Errors.refused(
                    "Session "
                            + uuid
                            + " was opened to "
                            + session.purpose
                            + "; this call needs one of "
                            + purposes,
                    "Open a session for that purpose");
        }
        Use use = new Use(session);
        if (session.ended) {
            use.close();
            throw ended(uuid);
        }
        return use;
    }

    static io.grpc.StatusRuntimeException ended(UUID id) {
        return Errors.status(
                ErrorDetail.Code.NOT_FOUND,
                "Session " + id + " is not open: it was closed, expired, or the storage restarted",
                "Open another session and ask again what is missing",
                null);
    }

    /** Ends one, when it is there and the peer's. */
    void close(UUID id, PeerIdentity peer) {
        Session session = open.get(id);
        if (session != null && session.peer.equals(peer)) {
            end(session);
        }
    }

    /**
     * Ends those that nobody has used for too long. Releases those that ended lately once more: a call
     * that was under way at their end may have pinned something since.
     */
    void expire() {
        for (UUID id : List.copyOf(ended.keySet())) {
            release.accept(id);
            ended.computeIfPresent(id, (_, left) -> left > 1 ? left - 1 : null);
        }
        long now = nanoClock.getAsLong();
        List<Session> idle = new ArrayList<>();
        for (Session session : open.values()) {
            if (session.uses.get() == 0 && now - session.lastUse > idleNanos) {
                idle.add(session);
            }
        }
        idle.forEach(this::end);
    }

    /** Ends all. */
    void closeAll() {
        List.copyOf(open.values()).forEach(this::end);
    }

    int size() {
        return open.size();
    }

    private void end(Session session) {
        session.ended = true;
        if (open.remove(session.id, session)) {
            ended.put(session.id, RELEASES);
            release.accept(session.id);
        }
    }
}

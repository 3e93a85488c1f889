package io.holdfast.agent.tls;

import io.grpc.ManagedChannel;
import io.holdfast.standard.Endpoint;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One channel for each endpoint and set of expected roles, made when first asked for. Thread-safe. It
 * holds as many channels as the cluster has endpoints, at most {@value #MAX_CHANNELS}.
 */
public final class ChannelCache implements AutoCloseable {
    /** The bound on channels. */
    public static final int MAX_CHANNELS = 4096;

    private record Key(Endpoint endpoint, Set<String> roles) {}

    private final TlsMaterial tls;
    private final Map<Key, ManagedChannel> channels = new ConcurrentHashMap<>();

    /** A cache of channels with this identity. */
    public ChannelCache(TlsMaterial tls) {
        this.tls = tls;
    }

    /**
     * The channel; it belongs to this cache.
     *
     * @throws IllegalStateException when the bound is reached
     */
    public ManagedChannel channel(Endpoint endpoint, Set<String> expectedRoles) {
        Key key = new Key(endpoint, Set.copyOf(expectedRoles));
        if (channels.size() >= MAX_CHANNELS && !channels.containsKey(key)) {
            throw new IllegalStateException(
                    "Already " + MAX_CHANNELS + " channels; close the cache and begin anew");
        }
        return channels.computeIfAbsent(key, k -> GrpcTls.channel(k.endpoint(), tls, k.roles()));
    }

    /** Cuts and forgets the channels to an endpoint, so that the next call connects anew. */
    public void forget(Endpoint endpoint) {
        channels.entrySet()
                .removeIf(entry -> {
                    if (!entry.getKey().endpoint().equals(endpoint)) {
                        return false;
                    }
                    entry.getValue().shutdownNow();
                    return true;
                });
    }

    /** Cuts all channels. */
    @Override
    public void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
        channels.clear();
    }
}

package io.holdfast.agent.storage;

import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.chunk.ChunkStore;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/** Serves a chunk store. */
public final class StorageService implements BindableService, AutoCloseable {
    /** Serves {@code store}; {@code deviceIps} says at any time which IPs are devices here. */
    public StorageService(
            ChunkStore store,
            EpochGuard guard,
            UUID cluster,
            Supplier<Set<String>> deviceIps,
            StorageLimits limits) {}

    @Override
    public ServerServiceDefinition bindService() {
        throw new UnsupportedOperationException("being written");
    }

    @Override
    public void close() {}
}

package io.holdfast.chunk.memory;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.ChunkStoreContractTest;
import io.holdfast.chunk.Samples;

class MemoryChunkStoreTest extends ChunkStoreContractTest {
    private MemoryChunkStore memory;

    @Override
    protected ChunkStore create() {
        memory = new MemoryChunkStore(Samples.INCARNATION);
        return memory;
    }

    @Override
    protected void damage(ChunkId id) {
        memory.damage(id, 1234);
    }
}

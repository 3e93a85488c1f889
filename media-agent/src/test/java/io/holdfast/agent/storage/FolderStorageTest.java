package io.holdfast.agent.storage;

import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.folder.FolderChunkStore;
import java.io.IOException;
import java.nio.file.Path;

class FolderStorageTest extends StorageContract {
    @Override
    ChunkStore newStore(Path below) throws IOException {
        return FolderChunkStore.open(below.resolve("store"), new FolderChunkStore.Options(1 << 20));
    }
}

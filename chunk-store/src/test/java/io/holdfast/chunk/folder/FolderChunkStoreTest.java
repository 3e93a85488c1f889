package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.ChunkStoreContractTest;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class FolderChunkStoreTest extends ChunkStoreContractTest {
    @TempDir Path folder;

    @Override
    protected ChunkStore create() throws Exception {
        return FolderChunkStore.open(folder.resolve("a/b"), new FolderChunkStore.Options(16 << 10));
    }

    @Override
    protected void damage(ChunkId id) throws Exception {
        ChunkStore.Tailed at =
                store.inventory().stream().filter(t -> t.id().equals(id)).findFirst().orElseThrow();
        Path pack = folder.resolve("a/b/packs").resolve(PackFormat.packName(at.after().pack()));
        try (RandomAccessFile file = new RandomAccessFile(pack.toFile(), "rw")) {
            long offset = at.after().offset() - 5;
            file.seek(offset);
            int old = file.read();
            file.seek(offset);
            file.write(old ^ 1);
        }
    }
}

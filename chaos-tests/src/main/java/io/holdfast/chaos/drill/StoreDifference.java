package io.holdfast.chaos.drill;

import io.holdfast.chunk.ChunkStore.Tailed;
import io.holdfast.chunk.DeltaPlan;
import io.holdfast.chunk.folder.FolderChunkStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * How many bytes of frames two stores differ by, read from their own pack indexes and not from what
 * the cluster says. The only place where the drill uses the product's classes beside its commands.
 *
 * @param missingAtFirst frame bytes that the second store holds and the first lacks
 * @param missingAtSecond frame bytes that the first store holds and the second lacks
 */
record StoreDifference(long missingAtFirst, long missingAtSecond) {
    /** Compares two stores; their folders are read only, and their processes may run or not. */
    static StoreDifference between(Path first, Path second) throws IOException {
        List<Tailed> ofFirst = FolderChunkStore.readInventory(first);
        List<Tailed> ofSecond = FolderChunkStore.readInventory(second);
        return new StoreDifference(
                DeltaPlan.of(ofSecond, ofFirst).bytes(), DeltaPlan.of(ofFirst, ofSecond).bytes());
    }
}

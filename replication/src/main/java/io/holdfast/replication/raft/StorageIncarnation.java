package io.holdfast.replication.raft;

import io.holdfast.agent.DurableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The identity of a node's Raft storage: a random UUID in the file {@code incarnation} of its folder,
 * made with the folder. Whoever loses the folder gets a new one, and is another member.
 */
public final class StorageIncarnation {
    private StorageIncarnation() {}

    /**
     * Reads the incarnation of a folder, or makes one, durably, when the folder is new.
     *
     * @param folder the folder of a {@link RaftHost}; created when missing
     * @param random gives a new id, for example {@code UUID::randomUUID}
     * @throws IOException when the file is damaged, or missing beside data
     */
    public static UUID readOrCreate(Path folder, Supplier<UUID> random) throws IOException {
        Path file = folder.resolve("incarnation");
        if (Files.exists(file)) {
            String text = Files.readString(file).strip();
            try {
                return UUID.fromString(text);
            } catch (IllegalArgumentException e) {
                throw new IOException(
                        "Not a valid incarnation in "
                                + file
                                + ": '"
                                + text
                                + "'; expected a UUID. Restore the file, or start with an empty"
                                + " folder as a new member.",
                        e);
            }
        }
        if (Files.isDirectory(folder.resolve(RaftHost.LINEAGES))) {
            throw new IOException(
                    "The incarnation file "
                            + file
                            + " is missing beside Raft data. Restore the file, or start with an"
                            + " empty folder as a new member.");
        }
        UUID incarnation = random.get();
        Files.createDirectories(folder);
        StorageAdmission.begin(folder, incarnation.toString());
        DurableFile.write(
                file, (incarnation + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
        DurableFile.syncParent(folder);
        return incarnation;
    }
}

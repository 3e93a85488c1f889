package io.holdfast.replication.raft;

import io.holdfast.agent.DurableFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a node's Raft storage may be read by a promotion (DR-PROTOCOL 3.7): a new one may lack what the
 * lost one had acknowledged, until a leader counts its acknowledgements or it leads itself. The file {@code
 * unadmitted} in the folder of a {@link RaftHost} says that it may not; it is made with the folder, and goes
 * with the admission. A folder of an older program has none. Thread-safe.
 */
public final class StorageAdmission {
    private static final Logger LOG = LoggerFactory.getLogger(StorageAdmission.class);
    private static final String NAME = "unadmitted";

    private final Path file;
    private volatile boolean admitted;

    private StorageAdmission(Path file, boolean admitted) {
        this.file = file;
        this.admitted = admitted;
    }

    /** What the folder says. Its incarnation must have been read before. */
    public static StorageAdmission of(Path folder) {
        Path file = folder.resolve(NAME);
        return new StorageAdmission(file, !Files.exists(file));
    }

    /** Marks a folder that is about to become the storage of this incarnation; durable. */
    static void begin(Path folder, String incarnation) throws IOException {
        DurableFile.write(
                folder.resolve(NAME), (incarnation + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a promotion may read it. */
    public boolean admitted() {
        return admitted;
    }

    /** It has all that counts. Durable when this returns; a failure is logged, and the next call tries again. */
    public synchronized void admit() {
        if (admitted) {
            return;
        }
        try {
            Files.deleteIfExists(file);
            DurableFile.syncParent(file);
            admitted = true;
            LOG.info("The Raft storage {} is admitted", file.getParent());
        } catch (IOException e) {
            LOG.warn("The Raft storage {} is not admitted yet", file.getParent(), e);
        }
    }
}

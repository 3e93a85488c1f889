package io.holdfast.replication.raft;

import io.holdfast.agent.DurableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that says with which members a lineage was opened: message LineageSpec of site.proto. */
final class SpecFile {
    private SpecFile() {}

    static void write(Path file, LineageSpec spec) throws IOException {
        DurableFile.write(file, LineageMessages.toProto(spec).toByteArray());
    }

    static LineageSpec read(Path file) throws IOException {
        try {
            return LineageMessages.of(
                    io.holdfast.replication.proto.site.v1.LineageSpec.parseFrom(
                            Files.readAllBytes(file)));
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    "The file "
                            + file
                            + " is damaged: "
                            + e.getMessage()
                            + ". Start this node with an empty Raft folder, as a new member.",
                    e);
        }
    }
}

package io.holdfast.chunk.folder;

import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * The file {@code STORE} of a store's folder: two lines of text, {@code holdfastStore 1} and {@code
 * incarnation UUID}. It makes the folder a store; the incarnation stands in every pack too.
 */
final class StoreFile {
    static final String NAME = "STORE";
    private static final String FIRST_LINE = "holdfastStore 1";
    private static final String WORD = "incarnation ";

    private StoreFile() {}

    static Optional<UUID> read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        String[] lines = Files.readString(file, StandardCharsets.ISO_8859_1).split("\n", -1);
        if (lines.length != 3 || !lines[0].equals(FIRST_LINE) || !lines[1].startsWith(WORD)) {
            throw new StoreException.Corrupt(
                    "Refused store "
                            + folder
                            + ": its file STORE is not '"
                            + FIRST_LINE
                            + "' and '"
                            + WORD
                            + "UUID'; if it is damaged, delete it: the packs name the incarnation");
        }
        try {
            return Optional.of(UUID.fromString(lines[1].substring(WORD.length())));
        } catch (IllegalArgumentException e) {
            throw new StoreException.Corrupt(
                    "Refused store " + folder + ": no UUID in its file STORE: " + lines[1]);
        }
    }

    static void write(Disk disk, Path folder, UUID incarnation) throws IOException {
        String text = FIRST_LINE + "\n" + WORD + incarnation + "\n";
        disk.replace(folder.resolve(NAME), text.getBytes(StandardCharsets.ISO_8859_1));
    }
}

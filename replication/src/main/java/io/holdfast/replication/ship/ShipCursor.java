package io.holdfast.replication.ship;

import io.holdfast.agent.DurableFile;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * How far a store has been shipped to another, on disk: one file for each pair of incarnations. It is
 * a shortcut only: what is missing at the peer, the peer says. An unreadable one means "from the
 * start", and one that is behind costs some offers.
 *
 * <pre>
 * holdfast-ship-cursor 1
 * position 12:345678
 * crc32c 0f1e2d3c          of the bytes of the first two lines
 * </pre>
 */
final class ShipCursor {
    private static final Pattern FORM =
            Pattern.compile(
                    """
                    holdfast-ship-cursor 1
                    position ([0-9]{1,18}):([0-9]{1,18})
                    crc32c ([0-9a-f]{8})
                    """);

    private final Path file;

    private ShipCursor(Path file) {
        this.file = file;
    }

    /** The cursor of a pair; nothing is read or written yet. */
    static ShipCursor of(Path folder, UUID own, UUID peer) {
        return new ShipCursor(folder.resolve("ship-" + own + "-to-" + peer + ".cursor"));
    }

    /** Where to go on; START when the file is missing, damaged or unreadable. */
    LogPosition load() {
        String text;
        try {
            if (!Files.exists(file) || Files.size(file) > 256) {
                return LogPosition.START;
            }
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return LogPosition.START;
        }
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()
                || !checksum(text.substring(0, text.indexOf("crc32c "))).equals(matcher.group(3))) {
            return LogPosition.START;
        }
        return new LogPosition(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)));
    }

    /** Makes {@code position} durable. */
    void save(LogPosition position) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IOException("Cursor file " + file + " has no folder");
        }
        Files.createDirectories(folder);
        String body = "holdfast-ship-cursor 1\nposition " + position + "\n";
        DurableFile.write(
                file,
                (body + "crc32c " + checksum(body) + "\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String checksum(String body) {
        CRC32C crc = new CRC32C();
        crc.update(body.getBytes(StandardCharsets.ISO_8859_1));
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }
}

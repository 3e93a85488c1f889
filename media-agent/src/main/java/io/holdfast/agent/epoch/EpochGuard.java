package io.holdfast.agent.epoch;

import io.holdfast.agent.DurableFile;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The highest epoch that this process has obeyed or promised, in a file. It never falls, also across
 * crashes and power loss: a higher epoch is durable before {@link #observe} returns. Thread-safe; an
 * epoch equal to the present one costs one volatile read.
 *
 * <p>The file is text, three lines, each ended by a line feed:
 *
 * <pre>
 * holdfast-epoch 1
 * max 3.dr
 * crc32c 0f1e2d3c          of the bytes of the first two lines
 * </pre>
 *
 * It is replaced by writing {@code NAME.tmp}, fsync, rename, fsync of the folder. One process owns
 * the file.
 */
public final class EpochGuard {
    private static final Pattern FORM =
            Pattern.compile("holdfast-epoch 1\nmax ([^\n]{1,40})\ncrc32c ([0-9a-f]{8})\n");
    private static final int MAX_BYTES = 128;

    private final Path file;
    private final Object writing = new Object();
    private volatile Epoch max;

    private EpochGuard(Path file, Epoch max) {
        this.file = file;
        this.max = max;
    }

    /**
     * Reads an existing file.
     *
     * @throws UnadmittedException when it is missing, truncated, damaged or of an unknown version
     * @throws IOException when it cannot be read
     */
    public static EpochGuard open(Path file) throws IOException {
        return new EpochGuard(file, read(file));
    }

    /**
     * Makes the file, durable when this returns: for {@code init} and enrolment, which know the
     * cluster's present epoch.
     *
     * @throws UnadmittedException when a file is there already
     */
    public static EpochGuard create(Path file, Epoch epoch) throws IOException {
        if (Files.exists(file)) {
            throw new UnadmittedException(
                    "Epoch file " + file + " exists already; open it instead of creating it");
        }
        Path folder = folderOf(file);
        Files.createDirectories(folder);
        write(file, epoch);
        return new EpochGuard(file, epoch);
    }

    /**
     * {@link #open}, or {@link #create} when there is no file: for the first start of a process whose
     * data folder is new. Only a missing file is created; an unreadable one is refused.
     */
    public static EpochGuard openOrCreate(Path file, Epoch first) throws IOException {
        return Files.exists(file) ? open(file) : create(file, first);
    }

    /** The highest epoch obeyed. */
    public Epoch max() {
        return max;
    }

    /**
     * Obeys {@code epoch}: returns when it is the highest, durably.
     *
     * @throws StaleEpochException when a higher one was obeyed before; nothing changed
     * @throws IOException when it could not be made durable: it is not obeyed, try again
     */
    public void observe(Epoch epoch) throws StaleEpochException, IOException {
        Epoch now = max;
        if (epoch.equals(now)) {
            return;
        }
        if (epoch.compareTo(now) < 0) {
            throw new StaleEpochException(epoch, now);
        }
        synchronized (writing) {
            int order = epoch.compareTo(max);
            if (order < 0) {
                throw new StaleEpochException(epoch, max);
            }
            if (order > 0) {
                write(file, epoch);
                max = epoch;
            }
        }
    }

    /**
     * Promises never again to obey anything lower than {@code epoch}; the same durable value as
     * {@link #observe}, under the name that the site protocol uses. Promising it again is harmless.
     */
    public void promise(Epoch epoch) throws StaleEpochException, IOException {
        observe(epoch);
    }

    /** The file. */
    public Path file() {
        return file;
    }

    private static Epoch read(Path file) throws IOException {
        byte[] bytes;
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw unadmitted(file, "is longer than " + MAX_BYTES + " bytes");
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw unadmitted(file, "is missing");
        }
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw unadmitted(
                    file,
                    text.startsWith("holdfast-epoch ") && !text.startsWith("holdfast-epoch 1\n")
                            ? "has a version that this program does not know"
                            : "is truncated or damaged (" + bytes.length + " bytes)");
        }
        String body = text.substring(0, text.indexOf("crc32c "));
        if (!checksum(body).equals(matcher.group(2))) {
            throw unadmitted(file, "is damaged: its checksum does not match");
        }
        try {
            return Epoch.parse(matcher.group(1));
        } catch (FormatException e) {
            throw unadmitted(file, "holds no epoch: " + e.getMessage());
        }
    }

    private static UnadmittedException unadmitted(Path file, String what) {
        return new UnadmittedException(
                "Epoch file "
                        + file
                        + " "
                        + what
                        + ". This process does not serve, because it cannot know which epochs it has"
                        + " obeyed. Admit it again: a node with holdfast readmit --config node.yml, a"
                        + " media agent by moving the file away while a server of the present epoch"
                        + " can reach it. Never copy the file of another process");
    }

    private static void write(Path file, Epoch epoch) throws IOException {
        String body = "holdfast-epoch 1\nmax " + epoch + "\n";
        byte[] bytes =
                (body + "crc32c " + checksum(body) + "\n").getBytes(StandardCharsets.ISO_8859_1);
        DurableFile.write(file, bytes);
    }

    private static Path folderOf(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IllegalArgumentException("Epoch file " + file + " has no folder");
        }
        return parent;
    }

    private static String checksum(String body) {
        CRC32C crc = new CRC32C();
        crc.update(body.getBytes(StandardCharsets.ISO_8859_1));
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }
}

package io.holdfast.agent;

import io.holdfast.agent.files.PathBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.Random;

/** Trees to back up, from a seed. */
public final class TestTree {
    private TestTree() {}

    /** Random bytes. */
    public static byte[] random(long seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Everything that a file system can hold and a backup can get wrong. */
    public static void nasty(Path root) throws Exception {
        Files.createDirectories(root);
        Files.writeString(root.resolve("plain.txt"), "hello\n");
        Files.write(root.resolve("empty"), new byte[0]);
        Files.createDirectories(root.resolve("empty folder/deeper/deepest"));
        Files.write(root.resolve("five"), random(1, 5 << 20));
        Files.write(root.resolve("exactly-min"), random(2, 256 << 10));
        Files.write(root.resolve("min-and-one"), random(3, (256 << 10) + 1));
        Files.write(root.resolve("zeros"), new byte[3 << 20]);
        byte[] tail = new byte[2 << 20];
        tail[100] = 1;
        Files.write(root.resolve("zeros-at-end"), tail);
        Files.createDirectories(root.resolve("links"));
        Files.createSymbolicLink(root.resolve("links/good"), Path.of("../plain.txt"));
        Files.createSymbolicLink(root.resolve("links/dangling"), Path.of("/no/such/file"));
        Files.createSymbolicLink(root.resolve("links/folder"), Path.of("../empty folder"));
        sh(root, "ln -s '..//links/./x/' links/odd");
        Files.createLink(root.resolve("links/hard1"), root.resolve("five"));
        Files.createLink(root.resolve("a-hard2"), root.resolve("five"));
        sh(root, "mkfifo -m 640 fifo");
        if (isRoot()) {
            sh(
                    root,
                    "mknod null c 1 3 || true; chown 1234:4321 plain.txt; chown -h 77:88 links/good");
        }
        for (String name :
                new String[] {
                    " leading",
                    "trailing ",
                    "new\nline",
                    "-rf",
                    "quo'te\"",
                    "back\\slash",
                    "*",
                    "%41",
                    "~",
                    "ümlaut",
                    "日本",
                    "e\u0301"
                }) {
            Files.writeString(
                    PathBytes.child(root, name.getBytes(StandardCharsets.UTF_8)),
                    name + " content");
        }
        Files.writeString(
                PathBytes.child(root, new byte[] {'l', (byte) 0xe9, (byte) 0xff, 'x'}), "latin");
        Path odd = PathBytes.child(root, new byte[] {'d', (byte) 0xfe});
        Files.createDirectory(odd);
        Files.writeString(PathBytes.child(odd, new byte[] {(byte) 0x80}), "below");
        Files.writeString(root.resolve("n".repeat(255)), "long name");
        Path deep = root;
        for (int i = 0; i < 40; i++) {
            deep = Files.createDirectory(deep.resolve("level" + i));
        }
        Files.writeString(deep.resolve("bottom"), "bottom");
        Path many = Files.createDirectory(root.resolve("many"));
        for (int i = 0; i < 300; i++) {
            Files.write(many.resolve("f" + i), random(i, i * 13));
        }
        xattr(root.resolve("plain.txt"), "comment", "a value");
        xattr(root.resolve("plain.txt"), "empty", "");
        xattr(root.resolve("links"), "on.folder", "\0binary\u00ff");
        Files.writeString(root.resolve("readonly-xattr"), "x");
        xattr(root.resolve("readonly-xattr"), "k", "v");
        sh(
                root,
                "chmod 4755 min-and-one; chmod 2711 many; chmod 1777 'empty folder';"
                        + " chmod 0400 readonly-xattr; chmod 0000 empty");
        time(root.resolve("zeros"), Instant.ofEpochSecond(-5, 123_456_789));
        time(root.resolve("plain.txt"), Instant.ofEpochSecond(1_500_000_000, 999_999_999));
        sh(root, "touch -h -d '2001-02-03 04:05:06.123456789' links/good");
        time(root.resolve("links"), Instant.ofEpochSecond(1_000_000_000, 1));
        time(root, Instant.ofEpochSecond(1_100_000_000, 7));
    }

    /** Whether this process may do what only root may. */
    public static boolean isRoot() throws IOException {
        return (int)
                        Files.getAttribute(
                                Path.of("/proc/self"), "unix:uid", LinkOption.NOFOLLOW_LINKS)
                == 0;
    }

    /** Sets the time of change. */
    public static void time(Path path, Instant time) throws IOException {
        Files.setLastModifiedTime(path, FileTime.from(time));
    }

    /** Sets an attribute {@code user.NAME}. */
    public static void xattr(Path path, String name, String value) throws IOException {
        Files.getFileAttributeView(path, UserDefinedFileAttributeView.class)
                .write(name, ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
    }

    /** Runs a shell line in a folder. */
    public static void sh(Path folder, String line) throws Exception {
        Process process =
                new ProcessBuilder("sh", "-c", line)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(line + ": " + out);
        }
    }
}

package io.holdfast.chaos.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.chaos.compare.Difference.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plants one difference of each kind into a copy of a tree, and finds it and nothing else. */
class TreeComparerTest {
    private static final FileTime DAY =
            FileTime.from(Instant.parse("2024-02-29T12:00:00.123456789Z"));

    @TempDir Path folder;
    private Path left;
    private Path right;

    @BeforeEach
    void twoEqualTrees() throws Exception {
        left = folder.resolve("left");
        Files.createDirectories(left.resolve("sub/deep"));
        Files.writeString(left.resolve("a.txt"), "first");
        Files.writeString(left.resolve("sub/b.txt"), "second");
        Files.writeString(left.resolve("sub/grün.txt"), "not ASCII");
        Files.createSymbolicLink(left.resolve("link"), Path.of("sub/b.txt"));
        Files.createLink(left.resolve("sub/deep/also-a"), left.resolve("a.txt"));
        Files.write(left.resolve("big"), new byte[600_000]);
        attribute(left.resolve("sub/b.txt"), "colour", "blue");
        right = folder.resolve("right");
        copyAll();
    }

    private void copyAll() throws Exception {
        int exit =
                new ProcessBuilder("cp", "-a", left.toString(), right.toString())
                        .inheritIO()
                        .start()
                        .waitFor();
        assertThat(exit).isZero();
    }

    private TreeComparer.Report compare() throws IOException {
        return new TreeComparer(0, 0).compare(TreeDigest.of(left), TreeDigest.of(right));
    }

    private void finds(Kind kind, String path) throws IOException {
        List<Difference> found = compare().differences();
        assertThat(found).extracting(Difference::kind).containsExactly(kind);
        assertThat(found.getFirst().path()).isEqualTo(path);
        assertThat(found.getFirst().toString()).startsWith(path + ": ");
    }

    /** Makes a change inside a folder without leaving a trace in the folder's own time. */
    private void quietly(Path parent, Change change) throws Exception {
        FileTime before = Files.getLastModifiedTime(parent);
        change.make();
        Files.setLastModifiedTime(parent, before);
    }

    private interface Change {
        void make() throws Exception;
    }

    private static void attribute(Path file, String name, String value) throws IOException {
        UserDefinedFileAttributeView view =
                Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
        try {
            view.write(name, ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            assumeTrue(false, "no extended attributes on this file system: " + e.getMessage());
        }
    }

    @Test
    void equalTreesAreTheSame() throws Exception {
        TreeComparer.Report report = compare();
        assertThat(report.differences()).isEmpty();
        assertThat(report.same()).isTrue();
        assertThat(report.paths()).isEqualTo(9);
        assertThat(report.bytes()).isEqualTo(5 + 6 + 9 + 600_000);
        assertThat(report.notCompared()).isEmpty();
    }

    @Test
    void missingPath() throws Exception {
        quietly(right, () -> Files.delete(right.resolve("big")));
        finds(Kind.MISSING, "big");
    }

    @Test
    void extraPath() throws Exception {
        quietly(right.resolve("sub"), () -> Files.createFile(right.resolve("sub/new")));
        finds(Kind.EXTRA, "sub/new");
    }

    @Test
    void fileThatBecameFolder() throws Exception {
        quietly(
                right,
                () -> {
                    Files.delete(right.resolve("big"));
                    Files.createDirectory(right.resolve("big"));
                });
        finds(Kind.TYPE, "big");
    }

    @Test
    void oneFlippedBitOfTheSameSizeAndTime() throws Exception {
        Path file = right.resolve("big");
        FileTime before = Files.getLastModifiedTime(file);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(599_999);
            bytes.write(1);
        }
        Files.setLastModifiedTime(file, before);
        finds(Kind.CONTENT, "big");
    }

    @Test
    void mode() throws Exception {
        Files.setPosixFilePermissions(
                right.resolve("sub/b.txt"), PosixFilePermissions.fromString("rwxr-x---"));
        finds(Kind.MODE, "sub/b.txt");
    }

    @Test
    void modeOfTheRoot() throws Exception {
        Files.setPosixFilePermissions(right, PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(left, PosixFilePermissions.fromString("rwxr-xr-x"));
        finds(Kind.MODE, ".");
    }

    @Test
    void owner() throws Exception {
        assumeTrue((int) Files.getAttribute(right, "unix:uid") == 0, "only root gives files away");
        Files.setAttribute(
                right.resolve("sub/b.txt"), "unix:uid", 12345, LinkOption.NOFOLLOW_LINKS);
        finds(Kind.OWNER, "sub/b.txt");
    }

    @Test
    void timeOfAFileByANanosecond() throws Exception {
        Files.setLastModifiedTime(left.resolve("big"), DAY);
        Files.setLastModifiedTime(
                right.resolve("big"), FileTime.from(DAY.toInstant().plusNanos(1)));
        finds(Kind.MTIME, "big");
    }

    @Test
    void timeOfASymbolicLinkAndOfAFolder() throws Exception {
        Files.getFileAttributeView(
                        right.resolve("link"),
                        BasicFileAttributeView.class,
                        LinkOption.NOFOLLOW_LINKS)
                .setTimes(DAY, null, null);
        finds(Kind.MTIME, "link");
        Files.setLastModifiedTime(right.resolve("sub/deep"), DAY);
        assertThat(compare().differences()).extracting(Difference::path).contains("sub/deep");
    }

    @Test
    void timeBefore1970() throws Exception {
        FileTime old = FileTime.from(Instant.parse("1969-12-31T23:59:59.5Z"));
        Files.setLastModifiedTime(left.resolve("big"), old);
        Files.setLastModifiedTime(right.resolve("big"), old);
        assertThat(compare().same()).isTrue();
    }

    @Test
    void targetOfASymbolicLink() throws Exception {
        BasicFileAttributeView view =
                Files.getFileAttributeView(
                        left.resolve("link"),
                        BasicFileAttributeView.class,
                        LinkOption.NOFOLLOW_LINKS);
        FileTime time = view.readAttributes().lastModifiedTime();
        quietly(
                right,
                () -> {
                    Files.delete(right.resolve("link"));
                    Files.createSymbolicLink(right.resolve("link"), Path.of("a.txt"));
                    Files.getFileAttributeView(
                                    right.resolve("link"),
                                    BasicFileAttributeView.class,
                                    LinkOption.NOFOLLOW_LINKS)
                            .setTimes(time, null, null);
                });
        finds(Kind.LINK_TARGET, "link");
    }

    @Test
    void hardLinkThatBecameACopy() throws Exception {
        Path copy = right.resolve("sub/deep/also-a");
        FileTime time = Files.getLastModifiedTime(copy);
        quietly(
                right.resolve("sub/deep"),
                () -> {
                    Files.delete(copy);
                    Files.writeString(copy, "first");
                    Files.setLastModifiedTime(copy, time);
                });
        List<Difference> found = compare().differences();
        assertThat(found).extracting(Difference::kind).containsOnly(Kind.HARD_LINK);
        assertThat(found).extracting(Difference::path).containsExactly("a.txt", "sub/deep/also-a");
    }

    @Test
    void linkToAFileOutsideTheTreeIsNoGroup() throws Exception {
        Files.createLink(folder.resolve("outside"), left.resolve("big"));
        assertThat(compare().same()).isTrue();
    }

    @Test
    void valueOfAnExtendedAttribute() throws Exception {
        attribute(right.resolve("sub/b.txt"), "colour", "red");
        finds(Kind.XATTR, "sub/b.txt");
    }

    @Test
    void extendedAttributeOfAFolderThatIsGone() throws Exception {
        attribute(left.resolve("sub"), "kept", "");
        finds(Kind.XATTR, "sub");
    }

    @Test
    void namesThatAreNotText() throws Exception {
        Path odd = Path.of(URI.create(left.toUri() + "caf%E9%0A"));
        quietly(left, () -> Files.writeString(odd, "latin-1"));
        finds(Kind.MISSING, "caf\\xe9\\x0a");
    }

    @Test
    void namesThatDifferInOneByteThatIsNotTextAreTwoNames() throws Exception {
        Files.createDirectory(left.resolve("odd"));
        Files.writeString(Path.of(URI.create(left.toUri() + "odd/%E8")), "one");
        Files.writeString(Path.of(URI.create(left.toUri() + "odd/%E9")), "two");
        assertThat(TreeDigest.of(left).entries().keySet()).contains("odd/\\xe8", "odd/\\xe9");
    }

    @Test
    void whatCannotBeReadIsNamed() throws Exception {
        TreeDigest whole = TreeDigest.of(left);
        SortedMap<String, TreeEntry> entries = new TreeMap<>(whole.entries());
        TreeEntry file = entries.get("big");
        entries.put(
                "big",
                new TreeEntry(
                        file.type(),
                        file.mode(),
                        file.uid(),
                        file.gid(),
                        file.mtimeNanos(),
                        0,
                        "",
                        "",
                        0,
                        "",
                        file.attributes(),
                        java.util.Optional.of("Permission denied")));
        List<Difference> found =
                new TreeComparer(0, 0).compare(new TreeDigest(entries), whole).differences();
        assertThat(found).extracting(Difference::kind).containsExactly(Kind.UNREAD);
        assertThat(found.getFirst().expected()).isEqualTo("Permission denied");
    }

    @Test
    void whatANonRootUserCannotCompareIsNamed() throws Exception {
        TreeDigest whole = TreeDigest.of(left);
        SortedMap<String, TreeEntry> foreign = new TreeMap<>();
        whole.entries()
                .forEach((path, e) ->
                        foreign.put(
                                path,
                                new TreeEntry(
                                        e.type(),
                                        e.mode(),
                                        4711,
                                        e.gid(),
                                        e.mtimeNanos(),
                                        e.size(),
                                        e.sha256(),
                                        e.target(),
                                        e.device(),
                                        e.linkedWith(),
                                        path.equals("big")
                                                ? new TreeMap<>(
                                                        java.util.Map.of(
                                                                "security.capability", "00"))
                                                : e.attributes(),
                                        e.unread())));
        TreeComparer.Report asUser =
                new TreeComparer(1000, 1000).compare(new TreeDigest(foreign), whole);
        assertThat(asUser.same()).isTrue();
        assertThat(asUser.notCompared())
                .containsExactly(
                        "attribute security.capability (only root can restore it): 1",
                        "owner of files that belong to others (only root can restore it): 9");
        TreeComparer.Report asRoot = new TreeComparer(0, 0).compare(new TreeDigest(foreign), whole);
        assertThat(asRoot.differences())
                .extracting(Difference::kind)
                .contains(Kind.OWNER, Kind.XATTR);
    }

    @Test
    void specialFilesHaveATypeAndNoContent() throws Exception {
        int exit =
                new ProcessBuilder("mkfifo", left.resolve("sub/pipe").toString()).start().waitFor();
        assertThat(exit).isZero();
        TreeEntry pipe = TreeDigest.of(left).entries().get("sub/pipe");
        assertThat(pipe.type()).isEqualTo(TreeEntry.Type.FIFO);
        assertThat(pipe.size()).isZero();
    }
}

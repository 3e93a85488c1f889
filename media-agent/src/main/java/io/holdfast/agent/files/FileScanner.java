package io.holdfast.agent.files;

import io.holdfast.chunk.ManifestEntry;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.attribute.FileTime;
import java.security.Principal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.PatternSyntaxException;

/**
 * Looks at a tree without reading its files: what stands in a folder, of which type, with which
 * attributes, and what is left out. It never follows a symlink. Thread-safe: the workers of a job
 * share one and walk different folders at once.
 *
 * <p>What a user of tar or restic expects, and gets:
 *
 * <ul>
 *   <li>Other file systems below the source are entered, unless the job says {@code
 *       one-file-system} ({@code READ:one-file-system}); then their mount points are kept as empty
 *       folders. File systems of the kernel ({@code proc}, {@code sysfs}, {@code cgroup2}, ...) below
 *       the source are never entered.
 *   <li>An exclude pattern without a slash matches the name of a file or folder anywhere: {@code
 *       *.tmp}. One with a slash matches the path below the source, from its start when it begins
 *       with a slash: {@code /var/cache}, {@code build/*.o}. What is below an excluded folder is
 *       excluded too. The syntax is that of {@link java.nio.file.FileSystem#getPathMatcher} (glob).
 *   <li>Extended attributes of users ({@code user.*}), access control lists, capabilities, and
 *       {@code trusted.*} as root. Not those that belong to the machine ({@code security.selinux},
 *       {@code security.ima}).
 *   <li>Sockets are skipped; sparse files are read as data.
 * </ul>
 */
public final class FileScanner {
    private static final String ATTRIBUTES =
            "unix:mode,uid,gid,ino,dev,rdev,nlink,size,lastModifiedTime,ctime";
    private static final Set<String> KERNEL_FILE_SYSTEMS =
            Set.of(
                    "proc",
                    "sysfs",
                    "cgroup",
                    "cgroup2",
                    "devpts",
                    "devtmpfs",
                    "debugfs",
                    "tracefs",
                    "securityfs",
                    "pstore",
                    "bpf",
                    "configfs",
                    "fusectl",
                    "hugetlbfs",
                    "mqueue",
                    "binfmt_misc",
                    "efivarfs",
                    "autofs",
                    "rpc_pipefs",
                    "selinuxfs",
                    "nsfs");

    private final boolean oneFileSystem;
    private final List<PathMatcher> names = new ArrayList<>();
    private final List<PathMatcher> paths = new ArrayList<>();
    private final Map<Integer, String> users = new ConcurrentHashMap<>();
    private final Map<Integer, String> groups = new ConcurrentHashMap<>();

    /**
     * A scanner with these rules.
     *
     * @param exclude glob patterns, see above
     * @throws IllegalArgumentException naming the pattern that is none
     */
    public FileScanner(List<String> exclude, boolean oneFileSystem) {
        this.oneFileSystem = oneFileSystem;
        for (String pattern : exclude) {
            String trimmed = pattern.endsWith("/") ? pattern.replaceAll("/+$", "") : pattern;
            if (trimmed.isEmpty()) {
                throw new IllegalArgumentException(
                        "exclude pattern '" + pattern + "' would exclude everything");
            }
            try {
                if (trimmed.indexOf('/') < 0) {
                    names.add(matcher(trimmed));
                } else if (trimmed.startsWith("/")) {
                    paths.add(matcher(trimmed.substring(1)));
                } else {
                    paths.add(matcher(trimmed));
                    paths.add(matcher("**/" + trimmed));
                }
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException(
                        "exclude pattern '" + pattern + "' is not a glob: " + e.getMessage(), e);
            }
        }
    }

    private static PathMatcher matcher(String glob) {
        return FileSystems.getDefault().getPathMatcher("glob:" + glob);
    }

    /**
     * What {@code lstat} says. Times in nanoseconds since 1970.
     *
     * @param mode type and permission bits
     * @param special {@code st_rdev} of a device
     */
    public record Stat(
            int mode,
            int uid,
            int gid,
            long size,
            long mtimeNanos,
            long ctimeNanos,
            long inode,
            long device,
            long special,
            int links) {
        /** What it is. @throws IOException for a type that Linux does not have */
        public ManifestEntry.Type type() throws IOException {
            return switch (mode & Posix.S_IFMT) {
                case Posix.S_IFREG -> ManifestEntry.Type.FILE;
                case Posix.S_IFDIR -> ManifestEntry.Type.DIRECTORY;
                case Posix.S_IFLNK -> ManifestEntry.Type.SYMLINK;
                case Posix.S_IFIFO -> ManifestEntry.Type.FIFO;
                case Posix.S_IFSOCK -> ManifestEntry.Type.SOCKET;
                case Posix.S_IFCHR -> ManifestEntry.Type.CHARACTER_DEVICE;
                case Posix.S_IFBLK -> ManifestEntry.Type.BLOCK_DEVICE;
                default ->
                        throw new IOException("unknown file type " + Integer.toOctalString(mode));
            };
        }

        /** True when {@code later} shows the same bytes: not written, not replaced. */
        public boolean same(Stat later) {
            return size == later.size
                    && mtimeNanos == later.mtimeNanos
                    && ctimeNanos == later.ctimeNanos
                    && inode == later.inode
                    && device == later.device
                    && mode == later.mode;
        }
    }

    /** Looks at one file, not at what a symlink points to. */
    public Stat stat(Path path) throws IOException {
        Map<String, Object> at = Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
        return new Stat(
                (int) number(at, "mode"),
                (int) number(at, "uid"),
                (int) number(at, "gid"),
                number(at, "size"),
                nanos(at, "lastModifiedTime"),
                nanos(at, "ctime"),
                number(at, "ino"),
                number(at, "dev"),
                number(at, "rdev"),
                (int) number(at, "nlink"));
    }

    private static long number(Map<String, Object> attributes, String name) {
        if (attributes.get(name) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("no attribute unix:" + name);
    }

    private static long nanos(Map<String, Object> attributes, String name) {
        if (attributes.get(name) instanceof FileTime time) {
            return time.to(TimeUnit.NANOSECONDS);
        }
        throw new IllegalStateException("no attribute unix:" + name);
    }

    /** What stands in a folder, in no order. */
    public List<Path> list(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            stream.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    /**
     * Whether a rule leaves it out.
     *
     * @param relative path below the source, not empty
     */
    public boolean excluded(Path relative) {
        if (!names.isEmpty()) {
            Path name = relative.getFileName();
            for (PathMatcher matcher : names) {
                if (matcher.matches(name)) {
                    return true;
                }
            }
        }
        for (PathMatcher matcher : paths) {
            if (matcher.matches(relative)) {
                return true;
            }
        }
        return false;
    }

    /** Whether there is any rule that could leave something out. */
    public boolean excludesAnything() {
        return !names.isEmpty() || !paths.isEmpty();
    }

    /**
     * Why a folder on another file system than its parent is not entered; empty when it is.
     *
     * @param folder where another file system is mounted
     */
    public String barrier(Path folder) throws IOException {
        if (oneFileSystem) {
            return "another file system is mounted here; one-file-system keeps an empty folder";
        }
        String type = Files.getFileStore(folder).type();
        return KERNEL_FILE_SYSTEMS.contains(type)
                ? "a file system of the kernel (" + type + ") is mounted here; kept as empty folder"
                : "";
    }

    /**
     * Extended attributes of a file or folder, sorted by full name.
     *
     * @param path absolute
     */
    public SortedMap<String, byte[]> xattrs(Path path) throws IOException {
        byte[] bytes = PathBytes.of(path);
        List<String> all = Posix.llistxattr(bytes);
        if (all.isEmpty()) {
            return Collections.emptySortedMap();
        }
        SortedMap<String, byte[]> found = new TreeMap<>();
        for (String name : all) {
            if (isKept(name)) {
                found.put(name, Posix.lgetxattr(bytes, name));
            }
        }
        return found;
    }

    /** Whether an attribute belongs to the file rather than to the machine. */
    static boolean isKept(String xattr) {
        return xattr.startsWith("user.")
                || xattr.startsWith("trusted.")
                || xattr.equals("security.capability")
                || xattr.equals("system.posix_acl_access")
                || xattr.equals("system.posix_acl_default");
    }

    /**
     * Where a symlink points, exactly as stored.
     *
     * @param path absolute
     */
    public byte[] linkTarget(Path path) throws IOException {
        return Posix.readlink(PathBytes.of(path));
    }

    /** Name of a user id, from any file that it owns; empty when it has none. */
    public String user(int uid, Path file) {
        return users.computeIfAbsent(uid, key -> name(key, file, "uid", "owner"));
    }

    /** Name of a group id, from any file that it owns; empty when it has none. */
    public String group(int gid, Path file) {
        return groups.computeIfAbsent(gid, key -> name(key, file, "gid", "group"));
    }

    private static String name(int id, Path file, String number, String key) {
        try {
            Map<String, Object> at =
                    Files.readAttributes(
                            file, "unix:" + number + "," + key, LinkOption.NOFOLLOW_LINKS);
            if ((int) number(at, number) != id) {
                return ""; // given away in this moment
            }
            String name = at.get(key) instanceof Principal principal ? principal.getName() : "";
            // The JDK answers the number where there is no name.
            return name.equals(Integer.toString(id)) || name.equals(Integer.toUnsignedString(id))
                    ? ""
                    : name;
        } catch (IOException e) {
            return "";
        }
    }
}

package io.holdfast.chaos.compare;

import io.holdfast.chaos.compare.Difference.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Lists every difference between two photographs of a tree. Someone who is not root can neither
 * give a file to another user nor write the attributes of the kernel: what cannot be compared for
 * that reason is named, never passed over.
 */
public final class TreeComparer {
    private final boolean root;
    private final long uid;
    private final long gid;

    /**
     * A comparer for trees that were restored by a process of this user.
     *
     * @param uid user id of that process; 0 compares everything
     * @param gid its group id
     */
    public TreeComparer(long uid, long gid) {
        this.root = uid == 0;
        this.uid = uid;
        this.gid = gid;
    }

    /**
     * What was found.
     *
     * @param paths how many paths the first tree has
     * @param bytes how many bytes of content it has
     * @param differences every difference, sorted by path
     * @param notCompared for each kind of thing that was not compared: what, how often, why
     */
    public record Report(
            long paths, long bytes, List<Difference> differences, List<String> notCompared) {
        /** Copies the lists. */
        public Report {
            differences = List.copyOf(differences);
            notCompared = List.copyOf(notCompared);
        }

        /** True when all that was compared is the same. */
        public boolean same() {
            return differences.isEmpty();
        }
    }

    /** Compares the tree that there should be with the tree that there is. */
    public Report compare(TreeDigest expected, TreeDigest actual) {
        List<Difference> found = new ArrayList<>();
        SortedMap<String, Long> skipped = new TreeMap<>();
        TreeSet<String> paths = new TreeSet<>(expected.entries().keySet());
        paths.addAll(actual.entries().keySet());
        for (String path : paths) {
            TreeEntry left = expected.entries().get(path);
            TreeEntry right = actual.entries().get(path);
            if (right == null && left != null) {
                found.add(new Difference(path, Kind.MISSING, word(left), "nothing"));
            } else if (left == null && right != null) {
                found.add(new Difference(path, Kind.EXTRA, "nothing", word(right)));
            } else if (left != null && right != null) {
                compare(path, left, right, found, skipped);
            }
        }
        List<String> notCompared =
                skipped.entrySet().stream().map(e -> e.getKey() + ": " + e.getValue()).toList();
        return new Report(expected.entries().size(), expected.bytes(), found, notCompared);
    }

    private void compare(
            String path,
            TreeEntry left,
            TreeEntry right,
            List<Difference> found,
            SortedMap<String, Long> skipped) {
        Collector differ = new Collector(path, found);
        if (left.type() != right.type()) {
            differ.when(true, Kind.TYPE, word(left), word(right));
            return;
        }
        if (left.unread().isPresent() || right.unread().isPresent()) {
            differ.when(
                    true,
                    Kind.UNREAD,
                    left.unread().orElse("readable"),
                    right.unread().orElse("readable"));
            return;
        }
        differ.when(
                left.size() != right.size() || !left.sha256().equals(right.sha256()),
                Kind.CONTENT,
                left.size() + " bytes, sha-256 " + left.sha256(),
                right.size() + " bytes, sha-256 " + right.sha256());
        differ.when(
                left.mode() != right.mode(),
                Kind.MODE,
                Integer.toOctalString(left.mode()),
                Integer.toOctalString(right.mode()));
        if (root || left.uid() == uid && left.gid() == gid) {
            differ.when(
                    left.uid() != right.uid() || left.gid() != right.gid(),
                    Kind.OWNER,
                    left.uid() + ":" + left.gid(),
                    right.uid() + ":" + right.gid());
        } else {
            skipped.merge(
                    "owner of files that belong to others (only root can restore it)",
                    1L,
                    Long::sum);
        }
        differ.when(
                left.mtimeNanos() != right.mtimeNanos(),
                Kind.MTIME,
                time(left.mtimeNanos()),
                time(right.mtimeNanos()));
        differ.when(
                !left.target().equals(right.target()),
                Kind.LINK_TARGET,
                left.target(),
                right.target());
        differ.when(
                !left.linkedWith().equals(right.linkedWith()),
                Kind.HARD_LINK,
                link(left),
                link(right));
        differ.when(
                left.device() != right.device(),
                Kind.DEVICE,
                Long.toString(left.device()),
                Long.toString(right.device()));
        SortedMap<String, String> leftAttributes = comparable(left.attributes(), skipped);
        SortedMap<String, String> rightAttributes = comparable(right.attributes(), new TreeMap<>());
        differ.when(
                !leftAttributes.equals(rightAttributes),
                Kind.XATTR,
                leftAttributes.toString(),
                rightAttributes.toString());
    }

    private SortedMap<String, String> comparable(
            SortedMap<String, String> attributes, SortedMap<String, Long> skipped) {
        if (root) {
            return attributes;
        }
        SortedMap<String, String> mine = new TreeMap<>();
        attributes.forEach((name, value) -> {
            if (name.startsWith("security.") || name.startsWith("trusted.")) {
                skipped.merge("attribute " + name + " (only root can restore it)", 1L, Long::sum);
            } else {
                mine.put(name, value);
            }
        });
        return mine;
    }

    private record Collector(String path, List<Difference> found) {
        void when(boolean differs, Kind kind, String expected, String actual) {
            if (differs) {
                found.add(new Difference(path, kind, expected, actual));
            }
        }
    }

    private static String word(TreeEntry entry) {
        return "a " + entry.type().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    private static String link(TreeEntry entry) {
        return entry.linkedWith().isEmpty()
                ? "a single link"
                : "the same file as " + entry.linkedWith();
    }

    private static String time(long nanos) {
        return Instant.ofEpochSecond(
                        Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L))
                .toString();
    }
}

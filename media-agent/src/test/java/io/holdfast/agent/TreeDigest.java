package io.holdfast.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** What a tree holds, in words, by means of the JDK alone: shares no code with the product. */
public final class TreeDigest {
    private final Map<String, String> lines = new TreeMap<>();
    private final Map<Object, String> inodes = new TreeMap<>();
    private final String base;

    private TreeDigest(Path root) {
        this.base = root.toUri().getRawPath().replaceAll("/$", "");
    }

    /** One line for each path; paths as escaped bytes. */
    public static Map<String, String> of(Path root) throws Exception {
        TreeDigest digest = new TreeDigest(root);
        digest.add(root);
        return digest.lines;
    }

    private void add(Path path) throws Exception {
        Map<String, Object> at = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
        String name = path.toUri().getRawPath().replaceAll("/$", "").substring(base.length());
        int mode = (int) at.get("mode");
        StringBuilder line = new StringBuilder();
        line.append(Integer.toOctalString(mode)).append(' ');
        line.append(at.get("uid")).append(':').append(at.get("gid")).append(' ');
        line.append(((FileTime) at.get("lastModifiedTime")).to(TimeUnit.NANOSECONDS));
        int type = mode >> 12;
        if (type == 010) {
            line.append(' ').append(at.get("size")).append(' ').append(sha256(path));
        } else if (type == 012) {
            line.append(" -> ")
                    .append(
                            Files.readSymbolicLink(path)
                                    .toUri()
                                    .getRawPath()
                                    .replace(Path.of("").toUri().getRawPath(), ""));
        } else if (type == 2 || type == 6) {
            line.append(" dev ").append(at.get("rdev"));
        }
        if (type != 4 && (int) at.get("nlink") > 1) {
            line.append(" = ").append(inodes.computeIfAbsent((Long) at.get("ino"), k -> name));
        }
        if (type == 010 || type == 4) {
            xattrs(path, line);
        }
        lines.put(name, line.toString());
        if (type == 4) {
            try (DirectoryStream<Path> below = Files.newDirectoryStream(path)) {
                TreeMap<String, Path> sorted = new TreeMap<>();
                below.forEach(p -> sorted.put(p.toUri().getRawPath(), p));
                for (Path p : sorted.values()) {
                    add(p);
                }
            }
        }
    }

    private static void xattrs(Path path, StringBuilder line) throws IOException {
        UserDefinedFileAttributeView view =
                Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
        for (String name : view.list().stream().sorted().toList()) {
            ByteBuffer value = ByteBuffer.allocate(view.size(name));
            view.read(name, value);
            line.append(" @").append(name).append('=');
            line.append(HexFormat.of().formatHex(value.array()));
        }
    }

    private static String sha256(Path path) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (var in = Files.newInputStream(path)) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}

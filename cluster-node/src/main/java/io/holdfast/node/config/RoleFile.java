package io.holdfast.node.config;

import io.holdfast.agent.DurableFile;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The durable role of a node's site, {@code role.json}: one line of JSON and one line with its
 * SHA-256. It says which role the node had when it last knew; boot rule T3 (DR-PROTOCOL 3.4) still
 * asks before an ACTIVE one acts. A file that is truncated or was edited by hand is refused, never
 * read as "nothing".
 *
 * <pre>
 * {"role":"ACTIVE","epoch":"1.local","lineage":"8c7e..."}
 * sha256:9f86d0...
 * </pre>
 *
 * @param role {@code ACTIVE}, {@code STANDBY}, {@code FENCED}, {@code RECONCILING}, ...: the name of
 *     a state of mode-switch's SiteMachine
 * @param epoch newest epoch that went with it
 * @param lineage Raft group that went with it
 */
public record RoleFile(String role, Epoch epoch, UUID lineage) {
    private static final Pattern LINE =
            Pattern.compile(
                    "\\{\"role\":\"([A-Z_]{1,40})\",\"epoch\":\"([0-9]{1,17}\\.[a-z]{2,10})\","
                            + "\"lineage\":\"([0-9a-f-]{36})\"}");
    private static final String EXPECTED =
            "{\"role\":\"ACTIVE\",\"epoch\":\"1.local\",\"lineage\":\"UUID\"} and a line sha256:HEX";

    /** Checks the role's form. */
    public RoleFile {
        if (!role.matches("[A-Z_]{1,40}")) {
            throw new FormatException("role", role, 0, "capital letters, for example ACTIVE");
        }
    }

    /**
     * Reads a role file.
     *
     * @return empty only when there is no such file
     * @throws FormatException when it is not complete and unchanged as it was written
     */
    public static Optional<RoleFile> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        if (Files.size(file) > 4096) {
            throw new FormatException("role file", file.toString(), 4096, EXPECTED);
        }
        String text = Files.readString(file, StandardCharsets.UTF_8);
        int end = text.indexOf('\n');
        if (end < 0 || !text.equals(withChecksum(text.substring(0, end)))) {
            throw new FormatException(
                    "role file " + file,
                    text,
                    Math.max(0, end),
                    "a matching checksum: " + EXPECTED);
        }
        Matcher line = LINE.matcher(text.substring(0, end));
        if (!line.matches()) {
            throw new FormatException("role file " + file, text, 0, EXPECTED);
        }
        return Optional.of(
                new RoleFile(
                        line.group(1), Epoch.parse(line.group(2)), UUID.fromString(line.group(3))));
    }

    /**
     * Writes a role file so that after a power loss either the old or the new one stands. Durable
     * when this returns.
     */
    public void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().resolveSibling("").normalize());
        byte[] bytes =
                withChecksum(
                                "{\"role\":\""
                                        + role
                                        + "\",\"epoch\":\""
                                        + epoch
                                        + "\",\"lineage\":\""
                                        + lineage
                                        + "\"}")
                        .getBytes(StandardCharsets.UTF_8);
        DurableFile.write(file, bytes);
    }

    private static String withChecksum(String line) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(line.getBytes(StandardCharsets.UTF_8));
            return line + "\nsha256:" + HexFormat.of().formatHex(digest) + "\n";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}

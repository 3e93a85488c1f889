package io.holdfast.standard;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * The file form of the {@link Mbr} (DECISIONS 4). Three lines, each ended by a newline:
 *
 * <pre>{@code
 * {"chunking":{...},...,"holdfastMbr":1,...}      canonical JSON
 * sha256 <64 hexadecimal digits>                   of the first line, without its newline
 * signature <Ed25519|SHA256withECDSA> <base64>     of "holdfast-mbr-1\n" and the first line
 * }</pre>
 *
 * <p>A file is read whole or not at all: version first, then checksum, signature, canonical form, and
 * then the fields, whose problems are told all at once.
 */
public final class MbrFormat {
    /** The version that is written, and the only one that is read. */
    public static final int VERSION = 1;

    private static final String WHAT = "MBR";
    private static final String VERSION_KEY = "holdfastMbr";
    private static final String CHECKSUM = "sha256 ";
    private static final String SIGNATURE = "signature ";
    private static final int MAX_CHARS = 1 << 20;
    private static final byte[] PREFIX = "holdfast-mbr-1\n".getBytes(StandardCharsets.UTF_8);
    private static final Set<String> KEYS =
            Set.of(
                    VERSION_KEY,
                    "cluster",
                    "name",
                    "profile",
                    "sites",
                    "resourceDb",
                    "defaultCatalog",
                    "methodRepository",
                    "epoch",
                    "lineage",
                    "chunking");
    private static final Set<String> NODE_KEYS =
            Set.of("id", "host", "restPort", "raftPort", "sitePort", "roles");
    private static final Set<String> CHUNKING_KEYS =
            Set.of("minBytes", "averageBytes", "maxBytes", "normalization");

    private MbrFormat() {}

    /**
     * The text of the file, signed with the cluster's key.
     *
     * @param key of the algorithm Ed25519 or EC
     * @throws IllegalArgumentException when the key cannot sign
     */
    public static String print(Mbr mbr, PrivateKey key) {
        String body = toJson(mbr).print();
        String algorithm = algorithm(key.getAlgorithm());
        try {
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(PREFIX);
            signer.update(body.getBytes(StandardCharsets.UTF_8));
            String signature = Base64.getEncoder().encodeToString(signer.sign());
            return body
                    + "\n"
                    + CHECKSUM
                    + sha256(body)
                    + "\n"
                    + SIGNATURE
                    + algorithm
                    + " "
                    + signature
                    + "\n";
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the cluster key cannot sign an MBR: " + e, e);
        }
    }

    /**
     * Reads a file and checks version, checksum and signature.
     *
     * @throws FormatException with the position, or with every problem of the fields
     */
    public static Mbr parse(String text, PublicKey key) {
        Lines lines = lines(text);
        verify(text, lines, key);
        return fields(text, lines.body());
    }

    /**
     * Reads a file and checks version and checksum, but not who signed it: for tools that show a file
     * and never act on it.
     *
     * @throws FormatException as {@link #parse}
     */
    public static Mbr parseUnverified(String text) {
        return fields(text, lines(text).body());
    }

    private record Lines(String body, String algorithm, String signature, int signatureAt) {}

    private static Lines lines(String text) {
        if (text.length() > MAX_CHARS) {
            throw new FormatException(WHAT, text, MAX_CHARS, "at most 1 Mi characters");
        }
        int bodyTo = text.indexOf('\n');
        int sumTo = bodyTo < 0 ? -1 : text.indexOf('\n', bodyTo + 1);
        int end = sumTo < 0 ? -1 : text.indexOf('\n', sumTo + 1);
        if (end < 0 || end != text.length() - 1) {
            refuseOtherVersion(text, bodyTo < 0 ? text : text.substring(0, bodyTo));
            throw new FormatException(
                    WHAT,
                    text,
                    end < 0 ? text.length() : end + 1,
                    "three lines: JSON, sha256, signature");
        }
        String body = text.substring(0, bodyTo);
        refuseOtherVersion(text, body);
        if (!text.substring(bodyTo + 1, sumTo).equals(CHECKSUM + sha256(body))) {
            throw new FormatException(
                    WHAT, text, bodyTo + 1, "a sha256 line that fits the line above");
        }
        String last = text.substring(sumTo + 1, end);
        int space = last.indexOf(' ', SIGNATURE.length());
        if (!last.startsWith(SIGNATURE) || space < 0) {
            throw new FormatException(WHAT, text, sumTo + 1, "signature ALGORITHM BASE64");
        }
        return new Lines(
                body,
                last.substring(SIGNATURE.length(), space),
                last.substring(space + 1),
                sumTo + 1);
    }

    /** Tells a newer version apart from damage, where the JSON can still be read. */
    private static void refuseOtherVersion(String text, String body) {
        Optional<JsonView> version;
        try {
            version = Json.parse(body, MAX_CHARS).optional(VERSION_KEY);
        } catch (FormatException unreadable) {
            return;
        }
        if (version.isPresent() && !version.get().value().equals(Json.of(VERSION))) {
            throw new FormatException(
                    WHAT,
                    text,
                    Math.max(0, body.indexOf(VERSION_KEY)),
                    "version "
                            + VERSION
                            + ", not "
                            + version.get().value().print()
                            + "; upgrade this program to read it");
        }
    }

    private static void verify(String text, Lines lines, PublicKey key) {
        String algorithm = algorithm(key.getAlgorithm());
        if (!algorithm.equals(lines.algorithm())) {
            throw new FormatException(
                    WHAT, text, lines.signatureAt(), "a signature by " + algorithm);
        }
        boolean good;
        try {
            byte[] signature = Base64.getDecoder().decode(lines.signature());
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(key);
            verifier.update(PREFIX);
            verifier.update(lines.body().getBytes(StandardCharsets.UTF_8));
            good =
                    verifier.verify(signature)
                            && Base64.getEncoder()
                                    .encodeToString(signature)
                                    .equals(lines.signature());
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            good = false;
        }
        if (!good) {
            throw new FormatException(
                    WHAT, text, lines.signatureAt(), "a signature by this cluster's key");
        }
    }

    private static String algorithm(String keyAlgorithm) {
        return switch (keyAlgorithm) {
            case "Ed25519", "EdDSA" -> "Ed25519";
            case "EC", "ECDSA" -> "SHA256withECDSA";
            default ->
                    throw new IllegalArgumentException(
                            "an MBR is signed by an Ed25519 or EC key, not " + keyAlgorithm);
        };
    }

    private static String sha256(String body) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(body.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The fields as JSON, version included. */
    public static Json toJson(Mbr mbr) {
        Json.Builder sites = Json.object();
        mbr.sites()
                .forEach((site, nodes) ->
                        sites.put(
                                site.word(),
                                Json.array(nodes.stream().map(MbrFormat::node).toList())));
        Chunking chunking = mbr.chunking();
        return Json.object()
                .put(VERSION_KEY, VERSION)
                .put("cluster", mbr.cluster())
                .put("name", mbr.name())
                .put("profile", mbr.profile())
                .put("sites", sites.build())
                .put("resourceDb", mbr.resourceDb())
                .put("defaultCatalog", mbr.defaultCatalog())
                .put("methodRepository", mbr.methodRepository())
                .put("epoch", mbr.epoch().toString())
                .put("lineage", mbr.lineage())
                .put(
                        "chunking",
                        Json.object()
                                .put("minBytes", chunking.minBytes())
                                .put("averageBytes", chunking.averageBytes())
                                .put("maxBytes", chunking.maxBytes())
                                .put("normalization", chunking.normalization())
                                .build())
                .build();
    }

    private static Json node(NodeAddress node) {
        return Json.object()
                .put("id", node.id())
                .put("host", node.host())
                .put("restPort", node.restPort())
                .put("raftPort", node.raftPort())
                .put("sitePort", node.sitePort())
                .put("roles", Json.strings(new TreeSet<>(node.roles())))
                .build();
    }

    private static Mbr fields(String text, String body) {
        Json json = Json.parse(body, MAX_CHARS);
        if (!json.print().equals(body)) {
            throw new FormatException(
                    WHAT, text, 0, "canonical JSON: sorted keys and no white space");
        }
        return fromJson(json);
    }

    /** Reads the fields. @throws FormatException telling every problem, each with its key path */
    public static Mbr fromJson(Json json) {
        JsonView view = json.view();
        Problems problems = new Problems(WHAT, "(fields)");
        problems.attempt(() -> require(view));
        var cluster = problems.attempt(() -> view.uuid("cluster"));
        var name = problems.attempt(() -> view.string("name"));
        var profile = problems.attempt(() -> view.string("profile"));
        var resourceDb = problems.attempt(() -> view.string("resourceDb"));
        var defaultCatalog = problems.attempt(() -> view.string("defaultCatalog"));
        var methodRepository = problems.attempt(() -> view.string("methodRepository"));
        var epoch = problems.attempt(() -> at(view.get("epoch"), Epoch::parse));
        var lineage = problems.attempt(() -> view.uuid("lineage"));
        var chunking = problems.attempt(() -> chunking(view.get("chunking")));
        Map<Site, List<NodeAddress>> sites = new EnumMap<>(Site.class);
        problems.attempt(() -> view.get("sites").entries())
                .orElse(Map.of())
                .forEach((word, nodes) -> site(problems, sites, word, nodes));
        problems.throwIfAny();
        return new Mbr(
                cluster.orElseThrow(),
                name.orElseThrow(),
                profile.orElseThrow(),
                sites,
                resourceDb.orElseThrow(),
                defaultCatalog.orElseThrow(),
                methodRepository.orElseThrow(),
                epoch.orElseThrow(),
                lineage.orElseThrow(),
                chunking.orElseThrow());
    }

    private static JsonView require(JsonView view) {
        view.requireOnly(KEYS);
        JsonView version = view.get(VERSION_KEY);
        if (version.longValue() != VERSION) {
            throw version.refuse("version " + VERSION);
        }
        return version;
    }

    private static void site(
            Problems problems, Map<Site, List<NodeAddress>> sites, String word, JsonView view) {
        Optional<Site> site = problems.attempt(() -> Site.ofWord(word));
        List<NodeAddress> nodes = new ArrayList<>();
        for (JsonView node : problems.attempt(view::list).orElse(List.of())) {
            problems.attempt(() -> node(node)).ifPresent(nodes::add);
        }
        site.ifPresent(s -> sites.put(s, nodes));
    }

    private static NodeAddress node(JsonView view) {
        view.requireOnly(NODE_KEYS);
        Set<String> roles = new TreeSet<>();
        view.list("roles").forEach(role -> roles.add(role.string()));
        String id = view.string("id");
        String host = view.string("host");
        int rest = view.intValue("restPort");
        int raft = view.intValue("raftPort");
        int site = view.intValue("sitePort");
        return at(view, all -> new NodeAddress(id, host, rest, raft, site, roles));
    }

    private static Chunking chunking(JsonView view) {
        view.requireOnly(CHUNKING_KEYS);
        int min = view.intValue("minBytes");
        int average = view.intValue("averageBytes");
        int max = view.intValue("maxBytes");
        int normalization = view.intValue("normalization");
        return at(view, all -> new Chunking(min, average, max, normalization));
    }

    /** Reads a value and adds the path to what is wrong with it. */
    private static <T> T at(JsonView view, Function<String, T> reader) {
        try {
            return reader.apply(view.value() instanceof Json.Str(String text) ? text : "");
        } catch (FormatException e) {
            throw view.refuse(e.expected() + ", not '" + e.text() + "'");
        }
    }
}

package io.holdfast.node.config;

import io.holdfast.agent.storage.StorageLimits;
import io.holdfast.node.config.ConfigException.Problem;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;

/** Reads {@code node.yml} by composing its nodes, never constructing objects, so lines are known. */
final class NodeConfigReader {
    private static final long MAX_BYTES = 1 << 20;
    private static final int MAX_GRACE_SECONDS = 366 * 86_400;
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,30}");
    private static final Pattern HOST =
            Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*|[a-zA-Z0-9]([a-zA-Z0-9.-]{0,250})");

    private final Path file;
    private final List<Problem> problems = new ArrayList<>();

    private final Optional<Path> otherMbr;

    private NodeConfigReader(Path file, Optional<Path> otherMbr) {
        this.file = file;
        this.otherMbr = otherMbr;
    }

    /**
     * Reads a configuration.
     *
     * @param mbr used instead of the one that it names
     */
    static NodeConfig read(Path file, Optional<Path> mbr) throws IOException, ConfigException {
        if (Files.size(file) > MAX_BYTES) {
            throw new ConfigException(
                    file.toString(),
                    List.of(new Problem(1, "is larger than 1 MiB; not a node.yml")));
        }
        return new NodeConfigReader(file, mbr).parse(Files.readString(file));
    }

    private NodeConfig parse(String text) throws ConfigException {
        Node root;
        try {
            root = new Yaml(new LoaderOptions()).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw failed(new Problem(line, "is not YAML: " + e.getProblem()));
        } catch (YAMLException e) {
            throw failed(new Problem(1, "is not YAML: " + e.getMessage()));
        }
        if (!(root instanceof MappingNode mapping)) {
            throw failed(
                    new Problem(1, "expected keys and values: node, site, roles, listen, ..."));
        }
        YamlSection top = new YamlSection("", 1, mapping, problems);

        Optional<String> node =
                top.value(
                        "node",
                        true,
                        "the name of this node in the MBR: lower-case letters, digits and '-', at"
                                + " most 31",
                        t -> NAME.matcher(t).matches() ? Optional.of(t) : Optional.empty());
        Optional<Site> site =
                top.value("site", true, "local, dr or witness", NodeConfigReader::siteOf);
        Set<String> roles =
                new TreeSet<>(
                        top.list(
                                "roles",
                                true,
                                "a list of " + String.join(", ", NodeConfig.ROLES),
                                NodeConfig.ROLES::contains));
        boolean witness = roles.contains(NodeConfig.WITNESS);
        if (witness && roles.size() > 1) {
            top.problem("roles", "a witness has no other role; expected [witness]");
        }
        if (site.isPresent() && !roles.isEmpty() && witness != (site.get() == Site.WITNESS)) {
            top.problem(
                    "roles",
                    witness
                            ? "the role witness belongs to site witness, not " + site.get().word()
                            : "site witness has only the role witness");
        }
        boolean storage = roles.contains(NodeConfig.STORAGE);
        boolean catalogServer = roles.contains(NodeConfig.CATALOG_SERVER);

        Optional<Path> named = path(top, "mbr", otherMbr.isEmpty(), "the MBR file that init wrote");
        Optional<Path> mbr = otherMbr.or(() -> named);
        mbr.filter(p -> !Files.isRegularFile(p))
                .ifPresent(p -> top.problem("mbr", "no such file: " + p));
        Optional<Path> identity = identity(top, "identity", true);
        identity.ifPresent(dir -> {
            needs(top, "identity", dir, "cluster-key.pem");
            needs(top, "identity", dir, "cluster-pub.pem");
        });
        Optional<Path> storageIdentity = identity(top, "storageIdentity", storage);
        Optional<Path> rehearsalIdentity = identity(top, "rehearsalIdentity", false);
        Optional<Path> data = path(top, "data", true, "a folder for what this node writes");
        data.filter(p -> Files.exists(p) && !Files.isDirectory(p))
                .ifPresent(p -> top.problem("data", "is not a folder: " + p));
        Optional<Path> seed = path(top, "seed", false, "a resources file that init wrote");
        seed.filter(p -> !Files.isRegularFile(p))
                .ifPresent(p -> top.problem("seed", "no such file: " + p));

        Optional<NodeConfig.Listen> listen =
                listen(top.section("listen", true), catalogServer, storage);
        Set<String> devices =
                new TreeSet<>(
                        top.list(
                                "devices",
                                storage,
                                "a list of the IP addresses that this storage owns",
                                NodeConfigReader::isAddress));
        if (!storage && top.has("devices")) {
            top.problem("devices", "needs the role storage");
        }
        Optional<NodeConfig.Catalog> catalog = catalog(top, catalogServer);
        NodeConfig.Raft raft = raft(top.section("raft", false));
        YamlSection replication = top.section("replication", false);
        Duration degrade = Duration.ofSeconds(replication.number("degradeSeconds", 1, 3600, 10));
        Duration stable = Duration.ofSeconds(replication.number("stableSeconds", 0, 3600, 2));
        replication.end();
        YamlSection collection = top.section("collection", false);
        Duration grace =
                Duration.ofSeconds(collection.number("graceSeconds", 0, MAX_GRACE_SECONDS, 86_400));
        Duration every =
                Duration.ofSeconds(collection.number("everySeconds", 1, 7 * 86_400, 21_600));
        Duration sessionIdle =
                Duration.ofSeconds(
                        collection.number(
                                "sessionSeconds",
                                5,
                                86_400,
                                (int) StorageLimits.DEFAULT.sessionIdle().toSeconds()));
        collection.end();
        top.end();

        if (!problems.isEmpty()
                || node.isEmpty()
                || site.isEmpty()
                || mbr.isEmpty()
                || identity.isEmpty()
                || data.isEmpty()
                || listen.isEmpty()) {
            throw failed();
        }
        return new NodeConfig(
                file,
                node.get(),
                site.get(),
                roles,
                mbr.get(),
                identity.get(),
                storageIdentity,
                rehearsalIdentity,
                data.get(),
                seed,
                listen.get(),
                devices,
                catalog,
                raft,
                new NodeConfig.Replication(degrade, stable),
                new NodeConfig.Collection(grace, every, sessionIdle));
    }

    private ConfigException failed(Problem... more) {
        List<Problem> all = new ArrayList<>(problems);
        all.addAll(List.of(more));
        all.sort(Comparator.comparingInt(Problem::line));
        return new ConfigException(String.valueOf(file.getFileName()), all);
    }

    private static Optional<Site> siteOf(String word) {
        try {
            return Optional.of(Site.ofWord(word));
        } catch (FormatException e) {
            return Optional.empty();
        }
    }

    private static boolean isHost(String text) {
        return HOST.matcher(text).matches() && !text.equals("0.0.0.0") && !text.equals("::");
    }

    private static boolean isAddress(String text) {
        if (text.indexOf(':') >= 0) {
            return HOST.matcher(text).matches();
        }
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (String part : parts) {
            if (!part.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(part) > 255) {
                return false;
            }
        }
        return true;
    }

    private Optional<Path> path(
            YamlSection section, String key, boolean required, String expected) {
        return section.value(
                key,
                required,
                expected,
                text -> {
                    try {
                        return Optional.of(file.resolveSibling(text).normalize());
                    } catch (InvalidPathException e) {
                        return Optional.empty();
                    }
                });
    }

    private Optional<Path> identity(YamlSection section, String key, boolean required) {
        Optional<Path> dir =
                path(section, key, required, "a folder with ca.pem, cert.pem and key.pem");
        dir.ifPresent(d -> {
            for (String name : List.of("ca.pem", "cert.pem", "key.pem")) {
                needs(section, key, d, name);
            }
        });
        return dir;
    }

    private static void needs(YamlSection section, String key, Path dir, String name) {
        if (!Files.isRegularFile(dir.resolve(name))) {
            section.problem(key, "no such file: " + dir.resolve(name));
        }
    }

    private static Optional<NodeConfig.Listen> listen(
            YamlSection section, boolean catalogServer, boolean storage) {
        Optional<String> host =
                section.value(
                        "host",
                        true,
                        "one IP address or host name that this node binds and is dialled at",
                        t -> isHost(t) ? Optional.of(t) : Optional.empty());
        Map<String, Integer> ports = new LinkedHashMap<>();
        ports.put("rest", section.number("rest", 1, 65535, 8443));
        ports.put("raft", section.number("raft", 1, 65535, 9871));
        ports.put("site", section.number("site", 1, 65535, 9872));
        int catalog = section.number("catalog", 1, 65535, 9873);
        int store = section.number("storage", 1, 65535, 3456);
        if (catalogServer) {
            ports.put("catalog", catalog);
        }
        if (storage) {
            ports.put("storage", store);
        }
        Map<Integer, String> taken = new LinkedHashMap<>();
        ports.forEach((key, port) -> {
            String other = taken.putIfAbsent(port, key);
            if (other != null) {
                section.problem(
                        key, port + " is already the port of " + other + "; expected another");
            }
        });
        section.end();
        return host.map(h ->
                new NodeConfig.Listen(
                        h,
                        ports.getOrDefault("rest", 0),
                        ports.getOrDefault("raft", 0),
                        ports.getOrDefault("site", 0),
                        catalogServer ? OptionalInt.of(catalog) : OptionalInt.empty(),
                        storage ? OptionalInt.of(store) : OptionalInt.empty()));
    }

    private Optional<NodeConfig.Catalog> catalog(YamlSection top, boolean catalogServer) {
        if (!catalogServer && top.has("catalog")) {
            top.problem("catalog", "needs the role catalog-server");
        }
        YamlSection section = top.section("catalog", catalogServer);
        if (!catalogServer || !top.has("catalog")) {
            return Optional.empty();
        }
        Optional<String> name =
                section.value(
                        "name",
                        true,
                        "the name of a catalog resource",
                        t -> NAME.matcher(t).matches() ? Optional.of(t) : Optional.empty());
        String database =
                section.value(
                                "database",
                                false,
                                "sqlite or mariadb",
                                t ->
                                        t.equals("sqlite") || t.equals("mariadb")
                                                ? Optional.of(t)
                                                : Optional.empty())
                        .orElse("sqlite");
        boolean maria = database.equals("mariadb");
        Optional<String> url =
                section.value(
                        "url",
                        maria,
                        "jdbc:mariadb://HOST:PORT/DATABASE",
                        t -> t.startsWith("jdbc:mariadb://") ? Optional.of(t) : Optional.empty());
        Optional<String> user = section.text("user", maria, "the database's user");
        Optional<Path> password =
                path(section, "passwordFile", maria, "a file whose first line is the password");
        password.filter(p -> !Files.isRegularFile(p))
                .ifPresent(p -> section.problem("passwordFile", "no such file: " + p));
        if (!maria) {
            for (String key : List.of("url", "user", "passwordFile")) {
                if (section.has(key)) {
                    section.problem(key, "needs database: mariadb");
                }
            }
        }
        section.end();
        Optional<NodeConfig.MariaDb> mariaDb =
                url.flatMap(
                        u -> user.flatMap(w -> password.map(p -> new NodeConfig.MariaDb(u, w, p))));
        return name.map(n -> new NodeConfig.Catalog(n, maria ? mariaDb : Optional.empty()));
    }

    private static NodeConfig.Raft raft(YamlSection section) {
        int min = section.number("electionMinMillis", 50, 60_000, 500);
        int max = section.number("electionMaxMillis", 100, 120_000, Math.max(1000, 2 * min));
        if (max <= min) {
            section.problem(
                    "electionMaxMillis",
                    max
                            + " is not larger than electionMinMillis "
                            + min
                            + "; expected about twice");
        }
        section.end();
        return new NodeConfig.Raft(Duration.ofMillis(min), Duration.ofMillis(max));
    }
}

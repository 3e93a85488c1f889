package io.holdfast.agent;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Json;
import io.holdfast.standard.JsonView;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The agent's configuration file, {@code agent.json}:
 *
 * <pre>
 * {"listen": "127.0.0.1:3456", "dataDir": "data", "identityDir": "identity",
 *  "clusterId": "01980f2c-...", "workers": 2}
 * </pre>
 *
 * @param listen the one address to listen at
 * @param dataDir folder of the agent's own: epoch, job outcomes, file caches; made when missing
 * @param identityDir folder with {@code ca.pem}, {@code cert.pem}, {@code key.pem} and {@code
 *     agent-key.pem}
 * @param clusterId what the certificate's cluster must be; empty: whatever the certificate says
 * @param workers threads of a job, 1 to 16; as many as there are processors, at least 2 and at most
 *     4, when it is missing
 */
public record AgentConfig(
        Endpoint listen, Path dataDir, Path identityDir, Optional<UUID> clusterId, int workers) {
    private static final int MAX_BYTES = 1 << 16;
    private static final Set<String> KEYS =
            Set.of("listen", "dataDir", "identityDir", "clusterId", "workers");

    /** All that is wrong with a configuration, one line each. */
    public static final class Invalid extends Exception {
        private static final long serialVersionUID = 1;
        private final List<String> problems;

        Invalid(List<String> problems) {
            super(String.join("\n", problems));
            this.problems = List.copyOf(problems);
        }

        /** At least one. */
        public List<String> problems() {
            return problems;
        }
    }

    /** As many threads as this machine can use for one job. */
    public static int defaultWorkers() {
        return Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 4);
    }

    /**
     * Reads a file; relative folders are meant from its folder.
     *
     * @throws Invalid with everything that is wrong
     */
    public static AgentConfig load(Path file) throws Invalid {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new Invalid(List.of(file + ": longer than " + MAX_BYTES + " bytes"));
            }
            String text = Files.readString(file, StandardCharsets.UTF_8);
            Path folder = file.toAbsolutePath().getParent();
            return parse(text, folder == null ? Path.of("/") : folder, file.toString());
        } catch (NoSuchFileException e) {
            throw new Invalid(
                    List.of(file + ": no such file; write one, or name another with --config"));
        } catch (CharacterCodingException e) {
            throw new Invalid(List.of(file + ": not UTF-8"));
        } catch (IOException e) {
            throw new Invalid(List.of(file + ": cannot be read (" + e.getMessage() + ")"));
        }
    }

    /**
     * Reads a text.
     *
     * @param folder what relative folders are meant from
     * @param name of the text, in messages
     * @throws Invalid with everything that is wrong
     */
    public static AgentConfig parse(String text, Path folder, String name) throws Invalid {
        return new Reader(text, name).read(folder);
    }

    /** Reads one text; every problem says where it stands: {@code agent.json:LINE:COLUMN: ...}. */
    private static final class Reader {
        private final String text;
        private final String name;
        private final Map<String, Integer> keysAt = new HashMap<>();
        private final List<String> problems = new ArrayList<>();

        Reader(String text, String name) {
            this.text = text;
            this.name = name;
        }

        AgentConfig read(Path folder) throws Invalid {
            JsonView root;
            try {
                root = new JsonView(Json.parse(text, keysAt), "");
                root.entries();
            } catch (FormatException e) {
                problem(e.position(), "expected " + e.expected());
                throw new Invalid(problems);
            }
            Endpoint listen = required(root, "listen", v -> endpoint(v));
            Path dataDir = required(root, "dataDir", v -> path(v, folder));
            Path identityDir = required(root, "identityDir", v -> path(v, folder));
            Optional<UUID> clusterId = optional(root, "clusterId", JsonView::uuid);
            Optional<Integer> workers =
                    optional(
                            root,
                            "workers",
                            v -> {
                                int count = v.intValue();
                                if (count < 1 || count > 16) {
                                    throw v.refuse("1 to 16 threads");
                                }
                                return count;
                            });
            for (String key : root.entries().keySet()) {
                if (!KEYS.contains(key)) {
                    problem(at(key), "unknown key '" + key + "'; known are " + sorted());
                }
            }
            if (!problems.isEmpty() || listen == null || dataDir == null || identityDir == null) {
                throw new Invalid(problems);
            }
            return new AgentConfig(
                    listen, dataDir, identityDir, clusterId, workers.orElse(defaultWorkers()));
        }

        private <T> @Nullable T required(JsonView root, String key, Function<JsonView, T> read) {
            try {
                return read.apply(root.get(key));
            } catch (FormatException e) {
                refused(key, e);
                return null;
            }
        }

        private <T> Optional<T> optional(JsonView root, String key, Function<JsonView, T> read) {
            try {
                return root.optional(key).map(read);
            } catch (FormatException e) {
                refused(key, e);
                return Optional.empty();
            }
        }

        private void refused(String key, FormatException e) {
            // A JsonView knows no more than the key; what stands in a string says more.
            boolean inside = !e.text().equals(key);
            problem(at(key), key + ": " + (inside ? e.getMessage() : "expected " + e.expected()));
        }

        /** Where a key stands; of one that is missing, where the object begins that lacks it. */
        private int at(String key) {
            return keysAt.getOrDefault(key, text.indexOf('{'));
        }

        private void problem(int position, String what) {
            String before = text.substring(0, Math.min(position, text.length()));
            long line = 1 + before.chars().filter(c -> c == '\n').count();
            int column = before.length() - before.lastIndexOf('\n');
            problems.add(name + ":" + line + ":" + column + ": " + what);
        }
    }

    private static List<String> sorted() {
        return KEYS.stream().sorted().toList();
    }

    private static Endpoint endpoint(JsonView value) {
        Endpoint endpoint = Endpoint.parse(value.string());
        if (endpoint.port().isEmpty()) {
            throw value.refuse("HOST:PORT, for example 127.0.0.1:3456");
        }
        return endpoint;
    }

    private static Path path(JsonView value, Path folder) {
        String text = value.string();
        if (text.isEmpty()) {
            throw value.refuse("a folder");
        }
        try {
            return folder.resolve(text).normalize();
        } catch (InvalidPathException e) {
            throw value.refuse("a folder (" + e.getReason() + ")");
        }
    }
}

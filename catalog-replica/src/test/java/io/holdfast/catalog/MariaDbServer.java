package io.holdfast.catalog;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A private mariadbd from the system's package, on a free loopback port, in its own folder. */
final class MariaDbServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);
    private static final List<String> FOLDERS =
            List.of("/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec");

    private final Path folder;
    private final List<String> extra;
    private int port;
    private Process process;

    private MariaDbServer(Path folder, List<String> extra) {
        this.folder = folder;
        this.extra = extra;
    }

    /** Where the server program is, when it is installed with its installer. */
    static Optional<Path> installed() {
        return program("mariadb-install-db").flatMap(installer -> program("mariadbd"));
    }

    private static Optional<Path> program(String name) {
        return Stream.concat(
                        FOLDERS.stream(),
                        Stream.of(System.getenv().getOrDefault("PATH", "").split(":")))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Makes an empty server in {@code folder} and starts it. */
    static MariaDbServer start(Path folder, String... extra) throws Exception {
        MariaDbServer server = new MariaDbServer(folder, List.of(extra));
        Process install =
                new ProcessBuilder(
                                program("mariadb-install-db").orElseThrow().toString(),
                                "--no-defaults",
                                "--datadir=" + folder.resolve("data"),
                                "--user=" + System.getProperty("user.name"),
                                "--auth-root-authentication-method=normal",
                                "--skip-test-db")
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("install.log").toFile())
                        .redirectInput(new File("/dev/null"))
                        .start();
        if (!install.waitFor(START.toSeconds(), TimeUnit.SECONDS) || install.exitValue() != 0) {
            install.destroyForcibly();
            throw new IOException(
                    "mariadb-install-db failed: "
                            + Files.readString(folder.resolve("install.log")));
        }
        server.start();
        return server;
    }

    /** Starts the same data again, after {@link #kill()}. */
    void start() throws Exception {
        // Another process may take the port in between: then try another one.
        for (int attempt = 0; ; attempt++) {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
                port = free.getLocalPort();
            }
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    program("mariadbd").orElseThrow().toString(),
                                    "--no-defaults",
                                    "--datadir=" + folder.resolve("data"),
                                    "--user=" + System.getProperty("user.name"),
                                    "--port=" + port,
                                    "--bind-address=127.0.0.1",
                                    "--socket=" + folder.resolve("s.sock"),
                                    "--pid-file=" + folder.resolve("pid"),
                                    "--log-error=" + folder.resolve("err.log"),
                                    "--innodb-buffer-pool-size=32M"));
            command.addAll(extra);
            process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(folder.resolve("out.log").toFile())
                            .redirectInput(new File("/dev/null"))
                            .start();
            if (answers() || attempt == 3) {
                break;
            }
        }
        if (!process.isAlive()) {
            throw new IOException(
                    "mariadbd did not start: " + Files.readString(folder.resolve("err.log")));
        }
    }

    private boolean answers() throws Exception {
        long end = System.nanoTime() + START.toNanos();
        while (process.isAlive() && System.nanoTime() < end) {
            try (Connection connection = connect()) {
                return connection.isValid(1);
            } catch (SQLException e) {
                Thread.sleep(50);
            }
        }
        process.destroyForcibly().waitFor();
        return false;
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/", "root", "");
    }

    /** A database of this server, made when it is not there. */
    CatalogDatabaseConfig database(String name) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE IF NOT EXISTS " + name);
        }
        return CatalogDatabaseConfig.of(
                "jdbc:mariadb://127.0.0.1:" + port + "/" + name, "root", "");
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

package io.holdfast.agent;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chunk.Sealer;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The agent as a program: {@code java -Xmx256m -jar holdfast-agent.jar --config agent.json}. It prints
 * one line when it is ready, on standard output; logs go to standard error. Exit code 1 when it
 * could not start, 2 for wrong arguments or a configuration that cannot be used, as of {@code holdfast
 * server}; SIGTERM ends it in order, and the JVM then answers 143.
 */
public final class AgentMain {
    private static final String USAGE =
            """
            Usage: holdfast agent --config FILE
            Runs a media agent until it is told to stop (SIGTERM). Example of FILE:
              {"listen": "127.0.0.1:3456", "dataDir": "data", "identityDir": "identity"}
            """;
    private static final String VERSION = "0.1.0";

    private AgentMain() {}

    /** Runs the program and ends the JVM. */
    public static void main(String[] args) {
        int code = run(args, System.out, System.err);
        if (code != 0) {
            System.exit(code);
        }
    }

    /** Runs the program until SIGTERM, in the calling thread; answers the exit code. */
    public static int run(String[] args, PrintStream out, PrintStream err) {
        if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
            out.print(USAGE);
            return 0;
        }
        if (args.length != 2 || !args[0].equals("--config")) {
            err.print(USAGE);
            return 2;
        }
        AgentConfig config;
        try {
            config = AgentConfig.load(Path.of(args[1]));
        } catch (AgentConfig.Invalid e) {
            e.problems().forEach(err::println);
            return 2;
        }
        Agent agent;
        try {
            agent = start(config);
        } catch (IOException e) {
            err.println("holdfast agent: " + e.getMessage());
            return 1;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(agent::close, "stop"));
        Thread.ofPlatform().daemon().name("warm-up").start(Sealer::warmUp);
        out.println("holdfast agent " + agent.identity().id() + " listens on " + agent.endpoint());
        out.flush();
        try {
            agent.awaitClosed();
        } catch (InterruptedException e) {
            agent.close();
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    /** A running agent. Thread-safe. */
    public static final class Agent implements AutoCloseable {
        private final PeerIdentity identity;
        private final Endpoint endpoint;
        private final GrpcServerHost host;
        private final MediaAgentService service;
        private final ChannelCache channels;
        private final FileChannel lock;
        private final CountDownLatch stopped = new CountDownLatch(1);
        private boolean closed;

        Agent(
                PeerIdentity identity,
                Endpoint endpoint,
                GrpcServerHost host,
                MediaAgentService service,
                ChannelCache channels,
                FileChannel lock) {
            this.identity = identity;
            this.endpoint = endpoint;
            this.host = host;
            this.service = service;
            this.channels = channels;
            this.lock = lock;
        }

        /** Who it is. */
        public PeerIdentity identity() {
            return identity;
        }

        /** Where it listens. */
        public Endpoint endpoint() {
            return endpoint;
        }

        /** Stops its jobs, makes their outcomes durable, and stops listening. */
        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            service.close();
            host.close();
            channels.close();
            closeQuietly(lock);
            stopped.countDown();
        }

        /** Waits until somebody has closed it. */
        public void awaitClosed() throws InterruptedException {
            stopped.await();
        }
    }

    /**
     * Starts an agent in this process.
     *
     * @throws IOException in one line: an identity or epoch file that is unusable, a data folder that
     *     another agent uses, an address that is taken
     */
    public static Agent start(AgentConfig config) throws IOException {
        TlsMaterial tls = TlsMaterial.load(config.identityDir());
        PeerIdentity identity = tls.identity();
        if (config.clusterId().isPresent()
                && !config.clusterId().get().equals(identity.cluster())) {
            throw new IOException(
                    "the certificate in "
                            + config.identityDir()
                            + " is of cluster "
                            + identity.cluster()
                            + ", and clusterId says "
                            + config.clusterId().get());
        }
        Files.createDirectories(config.dataDir());
        FileChannel lock = lock(config.dataDir());
        ChannelCache channels = new ChannelCache(tls);
        MediaAgentService service = null;
        try {
            AgentKey key = AgentKey.loadOrGenerate(config.identityDir());
            EpochGuard guard =
                    EpochGuard.openOrCreate(
                            config.dataDir().resolve("epoch"), new Epoch(0, Site.LOCAL));
            Set<String> storages = Set.of(PeerIdentity.NODE, PeerIdentity.STORAGE);
            service =
                    new MediaAgentService(
                            new MediaAgentService.Options(
                                    identity,
                                    config::listen,
                                    guard,
                                    key,
                                    endpoint -> channels.channel(endpoint, storages),
                                    config.dataDir(),
                                    config.workers(),
                                    VERSION,
                                    InstantSource.system()));
            RehearsalService rehearsal =
                    new RehearsalService(
                            new RehearsalService.Options(
                                    identity,
                                    key,
                                    endpoint -> channels.channel(endpoint, RehearsalService.ROLES),
                                    config.dataDir().resolve("rehearsal"),
                                    config.workers()));
            GrpcServerHost host =
                    GrpcServerHost.builder(tls)
                            .listen(
                                    new InetSocketAddress(
                                            config.listen().host(), config.listen().requirePort()))
                            .service(service)
                            .service(rehearsal, RehearsalService.ROLES)
                            .start();
            return new Agent(identity, config.listen(), host, service, channels, lock);
        } catch (IOException | RuntimeException e) {
            if (service != null) {
                service.close();
            }
            channels.close();
            closeQuietly(lock);
            throw e;
        }
    }

    private static FileChannel lock(Path dataDir) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        dataDir.resolve("lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        @Nullable FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            closeQuietly(channel);
            throw new IOException(
                    "another agent uses the folder "
                            + dataDir
                            + "; stop it, or give each its own dataDir");
        }
        return channel;
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Only a lock: nothing was written to it.
        }
    }
}

package io.holdfast.agent;

import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an agent durably knows of its jobs: {@code JOB.running} while one runs, {@code JOB.outcome}
 * from its end until the server has acknowledged it. A job whose agent died is answered as failed.
 * Thread-safe, one process at a time.
 *
 * <pre>
 * outcome file = magic "HFJOB001"  u32 crc32c(rest)  rest = delimited JobEvent*, the last an outcome
 * </pre>
 */
public final class JobBook {
    private static final Logger log = LoggerFactory.getLogger(JobBook.class);
    private static final long MAGIC = 0x48464a4f_42303031L; // HFJOB001
    private static final String RUNNING = ".running";
    private static final String OUTCOME = ".outcome";

    private final Path folder;

    private JobBook(Path folder) {
        this.folder = folder;
    }

    /** How a job ended, and what it had to say. */
    public record Finished(List<LogLine> log, Outcome outcome) {
        /** Copies the list. */
        public Finished {
            log = List.copyOf(log);
        }
    }

    /**
     * Opens a folder, which is made when it is missing. Jobs that ran when the agent died are
     * finished now: FAILED.
     */
    public static JobBook open(Path folder) throws IOException {
        Files.createDirectories(folder);
        JobBook book = new JobBook(folder);
        for (UUID job : book.list(RUNNING)) {
            if (!Files.exists(book.file(job, OUTCOME))) {
                book.finish(
                        job,
                        List.of(),
                        Outcome.newBuilder()
                                .setState(Outcome.State.FAILED)
                                .setMessage(
                                        "The agent restarted while job "
                                                + job
                                                + " was running; what it sent is kept by the"
                                                + " storage. Run the job again")
                                .build());
            } else {
                Files.deleteIfExists(book.file(job, RUNNING));
            }
        }
        return book;
    }

    /** Jobs whose outcome nobody has acknowledged yet. */
    public List<UUID> finished() throws IOException {
        return list(OUTCOME);
    }

    /** Notes durably that a job runs. */
    public void begin(UUID job) throws IOException {
        DurableFile.write(file(job, RUNNING), new byte[0]);
    }

    /** Notes durably how a job ended. */
    public void finish(UUID job, List<LogLine> lines, Outcome outcome) throws IOException {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        for (LogLine line : lines) {
            JobEvent.newBuilder().setLog(line).build().writeDelimitedTo(events);
        }
        JobEvent.newBuilder().setOutcome(outcome).build().writeDelimitedTo(events);
        byte[] rest = events.toByteArray();
        CRC32C crc = new CRC32C();
        crc.update(rest);
        DurableFile.write(
                file(job, OUTCOME),
                ByteBuffer.allocate(12 + rest.length)
                        .putLong(MAGIC)
                        .putInt((int) crc.getValue())
                        .put(rest)
                        .array());
        Files.deleteIfExists(file(job, RUNNING));
    }

    /** How a job ended; empty when it is unknown here. A damaged record is answered as FAILED. */
    public Optional<Finished> outcome(UUID job) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file(job, OUTCOME));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse(bytes));
        } catch (IOException | RuntimeException e) {
            log.warn("outcome of job {} is damaged: {}", job, e.getMessage());
            return Optional.of(
                    new Finished(
                            List.of(),
                            Outcome.newBuilder()
                                    .setState(Outcome.State.FAILED)
                                    .setMessage(
                                            "The agent's record of job "
                                                    + job
                                                    + " is damaged; look for its piece in the"
                                                    + " storage, or run the job again")
                                    .build()));
        }
    }

    static Finished parse(byte[] bytes) throws IOException {
        if (bytes.length < 12 || ByteBuffer.wrap(bytes).getLong() != MAGIC) {
            throw new InvalidProtocolBufferException("not a job's outcome of this version");
        }
        byte[] rest = Arrays.copyOfRange(bytes, 12, bytes.length);
        CRC32C crc = new CRC32C();
        crc.update(rest);
        if (ByteBuffer.wrap(bytes).getInt(8) != (int) crc.getValue()) {
            throw new InvalidProtocolBufferException("checksum");
        }
        ByteArrayInputStream in = new ByteArrayInputStream(rest);
        List<LogLine> lines = new ArrayList<>();
        while (true) {
            JobEvent event = JobEvent.parseDelimitedFrom(in);
            if (event == null) {
                throw new InvalidProtocolBufferException("no outcome");
            }
            if (event.hasOutcome()) {
                return new Finished(lines, event.getOutcome());
            }
            lines.add(event.getLog());
        }
    }

    /** Forgets a finished job; harmless when it is unknown. */
    public void forget(UUID job) throws IOException {
        Files.deleteIfExists(file(job, OUTCOME));
        Files.deleteIfExists(file(job, RUNNING));
    }

    private Path file(UUID job, String suffix) {
        return folder.resolve(job + suffix);
    }

    private List<UUID> list(String suffix) throws IOException {
        List<UUID> jobs = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + suffix)) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                try {
                    jobs.add(UUID.fromString(name.substring(0, name.length() - suffix.length())));
                } catch (IllegalArgumentException e) {
                    log.warn("{} is not the name of a job, ignored", file);
                }
            }
        }
        return jobs;
    }
}

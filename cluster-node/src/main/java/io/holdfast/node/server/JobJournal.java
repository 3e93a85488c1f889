package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.node.api.JobView;
import io.holdfast.standard.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node has heard of jobs that it followed: progress, addresses, log lines. Progress is in
 * memory; lines also go to {@code FOLDER/JOB.log}, one JSON object a line, and are read back by the next
 * process. An agent tells its whole log to whoever attaches, so what it tells again is recognised and
 * not noted twice. Bounded: {@value #MAX_JOBS} jobs in memory, {@value #MAX_LINES} lines a job.
 * Thread-safe.
 */
final class JobJournal {
    static final int MAX_JOBS = 500;
    static final int MAX_LINES = 5_000;

    private static final Logger LOG = LoggerFactory.getLogger(JobJournal.class);

    private final Path folder;
    private final Map<UUID, Heard> jobs =
            new LinkedHashMap<>(64, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<UUID, Heard> eldest) {
                    return size() > MAX_JOBS;
                }
            };

    JobJournal(Path folder) {
        try {
            this.folder = Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot make the folder of job logs " + folder, e);
        }
    }

    /** What was heard of one job. */
    static final class Heard {
        private Progress progress = Progress.getDefaultInstance();
        private @Nullable Outcome outcome;
        private String input = "";
        private String output = "";
        private final long sinceNanos = System.nanoTime();
        private long untilNanos;
        private final List<JobView.LogLine> lines;
        private int told;
        private int dropped;

        private Heard(List<JobView.LogLine> known) {
            lines = new ArrayList<>(known);
        }

        /** Whether the line follows what has been told since the agent was attached to. */
        private boolean tellsAgain(JobView.LogLine line) {
            for (int i = told; i < lines.size(); i++) {
                if (lines.get(i).equals(line)) {
                    told = i + 1;
                    return true;
                }
            }
            return false;
        }
    }

    /** A copy of what was heard. */
    record View(
            Progress progress,
            @Nullable Outcome outcome,
            String input,
            String output,
            double seconds,
            List<JobView.LogLine> lines) {}

    /** The agent of a job is being attached to, with these physical identifiers. */
    synchronized void attach(UUID job, String input, String output) {
        Heard heard = heard(job);
        heard.input = input;
        heard.output = output;
        heard.told = 0;
    }

    /** Whether this process has heard how the job ended, and so all of its log. */
    synchronized boolean heardEnd(UUID job) {
        Heard heard = jobs.get(job);
        return heard != null && heard.outcome != null;
    }

    synchronized void progress(UUID job, Progress progress) {
        heard(job).progress = progress;
    }

    synchronized void outcome(UUID job, Outcome outcome) {
        Heard heard = heard(job);
        heard.outcome = outcome;
        heard.untilNanos = System.nanoTime();
    }

    void line(UUID job, LogLine line) {
        add(job, new JobView.LogLine(line.getLevel().name(), line.getPath(), line.getMessage()));
    }

    void error(UUID job, String message) {
        add(job, new JobView.LogLine("ERROR", "", message));
    }

    private synchronized void add(UUID job, JobView.LogLine line) {
        Heard heard = heard(job);
        if (heard.tellsAgain(line)) {
            return;
        }
        if (heard.lines.size() >= MAX_LINES) {
            heard.dropped++;
            return;
        }
        heard.lines.add(line);
        heard.told = heard.lines.size();
        Json json =
                Json.object()
                        .put("level", line.level())
                        .put("path", line.path())
                        .put("message", line.message())
                        .build();
        try {
            Files.writeString(
                    folder.resolve(job + ".log"),
                    json.print() + "\n",
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            LOG.warn("Line of job {} is not on disk: {}", job, e.toString());
        }
    }

    private Heard heard(UUID job) {
        return jobs.computeIfAbsent(job, id -> new Heard(fromDisk(id)));
    }

    /** What was heard of a job; of one that this process did not follow, its lines from disk. */
    synchronized View view(UUID job) {
        Heard heard = jobs.get(job);
        if (heard == null) {
            return new View(Progress.getDefaultInstance(), null, "", "", 0, fromDisk(job));
        }
        long until = heard.untilNanos == 0 ? System.nanoTime() : heard.untilNanos;
        List<JobView.LogLine> lines = new ArrayList<>(heard.lines);
        if (heard.dropped > 0) {
            lines.add(
                    new JobView.LogLine("WARNING", "", heard.dropped + " more lines were dropped"));
        }
        return new View(
                heard.progress,
                heard.outcome,
                heard.input,
                heard.output,
                (until - heard.sinceNanos) / 1e9,
                lines);
    }

    /**
     * One log of what two nodes heard of a job: the longer one, then what only the other has. Whoever
     * followed the job to its end has all that the agent told.
     */
    static List<JobView.LogLine> join(List<JobView.LogLine> one, List<JobView.LogLine> other) {
        boolean longer = one.size() >= other.size();
        List<JobView.LogLine> joined = new ArrayList<>(longer ? one : other);
        List<JobView.LogLine> left = new ArrayList<>(longer ? other : one);
        joined.forEach(left::remove);
        joined.addAll(left);
        return joined;
    }

    private List<JobView.LogLine> fromDisk(UUID job) {
        Path file = folder.resolve(job + ".log");
        if (!Files.exists(file)) {
            return List.of();
        }
        try (var lines = Files.lines(file)) {
            return lines.limit(MAX_LINES).map(JobJournal::parsed).toList();
        } catch (IOException | UncheckedIOException e) {
            return List.of(new JobView.LogLine("WARNING", file.toString(), "unreadable: " + e));
        }
    }

    private static JobView.LogLine parsed(String line) {
        try {
            var view = Json.parse(line).view();
            return new JobView.LogLine(
                    view.string("level"), view.string("path"), view.string("message"));
        } catch (IllegalArgumentException e) {
            return new JobView.LogLine("WARNING", "", "unreadable line: " + line);
        }
    }
}

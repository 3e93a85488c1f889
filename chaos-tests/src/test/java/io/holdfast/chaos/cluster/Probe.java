package io.holdfast.chaos.cluster;

import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A small program for a machine: serves a port, calls one, measures the way there, tells the time. */
final class Probe {
    static final int PORT = 7000;
    private static final int PATIENCE = 1500;

    private Probe() {}

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "serve" -> serve(Path.of(args[2]));
            case "call" -> System.out.println(call(args[1]) ? "answered" : "silent");
            case "shout" -> shout(args[1]);
            case "time" -> System.out.println(roundTrip(args[1]));
            case "pour" -> System.out.println(pour(args[1], Integer.parseInt(args[2])));
            case "exit" -> System.exit(Integer.parseInt(args[1]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Answers every call with the time, a poured one with its size; notes datagrams in a file. */
    private static void serve(Path heard) throws Exception {
        Thread.ofPlatform().daemon().start(() -> hear(heard));
        try (ServerSocket server = new ServerSocket(PORT)) {
            while (true) {
                try (Socket socket = server.accept()) {
                    int wish = socket.getInputStream().read();
                    if (wish == 'x') {
                        Runtime.getRuntime().halt(70);
                    }
                    long answer =
                            wish == 'b'
                                    ? socket.getInputStream()
                                            .transferTo(OutputStream.nullOutputStream())
                                    : System.currentTimeMillis() / 1000;
                    socket.getOutputStream().write(Long.toString(answer).getBytes());
                }
            }
        }
    }

    private static void hear(Path heard) {
        try (DatagramSocket socket = new DatagramSocket(PORT)) {
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            while (true) {
                socket.receive(packet);
                Files.writeString(heard, "heard");
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static boolean call(String host) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, PORT), PATIENCE);
            socket.setSoTimeout(PATIENCE);
            socket.getOutputStream().write('?');
            return socket.getInputStream().read() >= 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }

    /** Microseconds that a connection takes to be made, which is one round trip; of several. */
    private static String roundTrip(String host) throws Exception {
        long[] micros = new long[9];
        for (int i = 0; i < micros.length; i++) {
            try (Socket socket = new Socket()) {
                long began = System.nanoTime();
                socket.connect(new InetSocketAddress(host, PORT), PATIENCE);
                micros[i] = (System.nanoTime() - began) / 1000;
                socket.getOutputStream().write('?');
                socket.getInputStream().readAllBytes();
            }
        }
        Arrays.sort(micros);
        return micros[0] + " " + micros[micros.length / 2];
    }

    /** Sends so many bytes. @return how many arrived, and the microseconds until it was known */
    private static String pour(String host, int bytes) throws Exception {
        long began = System.nanoTime();
        try (Socket socket = new Socket(host, PORT)) {
            socket.getOutputStream().write('b');
            socket.getOutputStream().write(new byte[bytes]);
            socket.shutdownOutput();
            String arrived = new String(socket.getInputStream().readAllBytes());
            return arrived + " " + (System.nanoTime() - began) / 1000;
        }
    }

    /** A datagram arrives, or not; nobody answers. */
    private static void shout(String host) throws Exception {
        try (DatagramSocket socket = new DatagramSocket()) {
            for (int i = 0; i < 5; i++) {
                socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName(host), PORT));
                Thread.sleep(20);
            }
        }
    }
}

package io.holdfast.chaos.cluster;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small program for a machine: serves a port, calls one, fills its disk, tells the time. */
final class Probe {
    static final int PORT = 7000;
    private static final int PATIENCE = 1500;

    private Probe() {}

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "serve" -> serve(Path.of(args[2]));
            case "call" -> System.out.println(call(args[1]) ? "answered" : "silent");
            case "shout" -> shout(args[1]);
            case "exit" -> System.exit(Integer.parseInt(args[1]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Answers every call with the time, and notes every datagram in a file. */
    private static void serve(Path heard) throws Exception {
        Thread.ofPlatform().daemon().start(() -> hear(heard));
        try (ServerSocket server = new ServerSocket(PORT)) {
            while (true) {
                try (Socket socket = server.accept()) {
                    if (socket.getInputStream().read() == 'x') {
                        Runtime.getRuntime().halt(70);
                    }
                    socket.getOutputStream()
                            .write(Long.toString(System.currentTimeMillis() / 1000).getBytes());
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

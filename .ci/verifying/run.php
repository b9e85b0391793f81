<?php

// Runs one recipe: a token a line comes in, and whose it is goes out. `php run.php recipe.php [sources]`
set_error_handler(function (int $level, string $message): bool {
    throw new ErrorException($message);
}, E_ALL & ~E_WARNING);
error_reporting(E_ALL & ~E_WARNING);
if (isset($argv[2])) {
    spl_autoload_register(function (string $class) use ($argv): void {
        require $argv[2] . '/src/' . str_replace('\\', '/', preg_replace('/^Firebase\\\\JWT\\\\/', '', $class)) . '.php';
    });
}
require $argv[1];

while (($line = fgets(STDIN)) !== false) {
    $asked = json_decode($line);
    try {
        $verdict = ['userId' => userIdOf($asked->token)];
    } catch (Throwable $e) {
        $verdict = ['reason' => get_class($e) . ': ' . $e->getMessage()];
    }
    echo json_encode(['id' => $asked->id] + $verdict), "\n";
}

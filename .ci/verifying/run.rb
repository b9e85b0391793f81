# Runs one recipe: a token a line comes in, and whose it is goes out. `ruby run.rb recipe.rb`
require File.expand_path(ARGV.shift)

$stdout.sync = true
$stdin.each_line do |line|
  asked = JSON.parse(line)
  verdict =
    begin
      { userId: user_id_of(asked['token']) }
    rescue StandardError => e
      { reason: e.inspect }
    end
  puts JSON.generate({ id: asked['id'] }.merge(verdict))
end
